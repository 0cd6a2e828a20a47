# SPDX-License-Identifier: Apache-2.0
from ostrya.image.steps.merge_usr import merge_usr


def test_what_is_the_same_or_leads_there_is_merged(editor, report):
    for path in ("bin/a", "usr/bin/b", "bin/same", "usr/bin/same"):
        editor.write(path, path.rpartition("/")[2].encode())
    editor.link("bin/c", "/usr/bin/c")
    editor.write("usr/bin/c", b"c")
    merge_usr(editor, report)
    assert editor.link_target("bin") == "usr/bin"
    assert editor.names("usr/bin") == ["a", "b", "c", "same"]
    assert [one.code for one in report.decisions] == ["usr.merged"]


def test_all_that_differs_is_in_the_way(editor, report):
    for name in ("bin", "sbin"):
        editor.write(f"{name}/x", b"one")
        editor.write(f"usr/{name}/x", b"other")
    merge_usr(editor, report)
    (conflict,) = report.conflicts
    assert conflict.sentence.endswith("already: /usr/bin/x, /usr/sbin/x")


def test_links_stay(editor, report):
    editor.make_dir("usr/bin")
    editor.link("bin", "usr/bin")
    merge_usr(editor, report)
    assert report.decisions == []


def test_links_lead_where_they_did(editor, report):
    editor.write("usr/share/x", b"x")
    editor.write("usr/bin/same", b"same")
    editor.link("bin/x", "../usr/share/x")
    editor.link("bin/same", "../usr/bin/same")
    merge_usr(editor, report)
    assert editor.link_target("usr/bin/x") == "../share/x"
    assert editor.read("usr/bin/same") == b"same"
    assert report.conflicts == []


def test_a_usr_that_leads_out(editor, report):
    editor.write("bin/a", b"a")
    editor.link("usr/bin", "../bin")
    editor.write("lib64/b", b"b")
    editor.link("usr/lib64", "lib")
    editor.make_dir("usr/lib")
    merge_usr(editor, report)
    assert editor.read("usr/bin/a") == b"a"
    assert editor.read("usr/lib/b") == b"b"
    links = {path: editor.link_target(path) for path in ("bin", "lib64", "usr/lib64")}
    assert links == {"bin": "usr/bin", "lib64": "usr/lib64", "usr/lib64": "lib"}
    assert report.conflicts == []
