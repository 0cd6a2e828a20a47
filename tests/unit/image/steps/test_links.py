# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.formats.file_header import FileHeader
from ostrya.image.steps.links import lead_on

ALIKE = ("bin", "sbin", "lib")


@pytest.mark.parametrize(
    ("path", "target", "changed"),
    [
        ("bin/a", "../usr/share/x", "../share/x"),
        ("lib/deep/a", "../../etc/x", "../../../etc/x"),
        ("sbin/a", "../bin/busybox", "../bin/busybox"),
        ("bin/a", "b", "b"),
        ("lib/deep/a", "../b", "../b"),
        ("bin/a", "/usr/share/x", "/usr/share/x"),
        # Of these the merging makes one.
        ("bin/a", "../usr/bin/a", "../usr/bin/a"),
    ],
)
def test_links_lead_where_they_did(editor, path, target, changed):
    editor.link(path, target)
    folder = path.split("/", maxsplit=1)[0]
    lead_on(editor, folder, f"usr/{folder}", alike=ALIKE)
    assert editor.link_target(path) == changed


def test_far_away(editor):
    editor.link("home/user/link", "../../usr/share/x")
    editor.link("usr/local/man", "share/man")
    editor.link("usr/local/doc", "../share/doc")
    lead_on(editor, "home", "var/rootdirs/home")
    lead_on(editor, "usr/local", "var/usrlocal")
    assert editor.link_target("home/user/link") == "../../../../usr/share/x"
    assert editor.link_target("usr/local/man") == "share/man"
    assert editor.link_target("usr/local/doc") == "../../usr/share/doc"


def test_owners_stay(editor, tx):
    place = editor.make_dir("bin")
    place.replace_file("a", tx.writer.write_symlink(FileHeader(7, 8, 0o120777, "../usr/x")))
    lead_on(editor, "bin", "usr/bin", alike=ALIKE)
    assert editor.header("bin/a") == (7, 8, 0o120777, "../x", ())


def test_what_is_not_there(editor):
    lead_on(editor, "bin", "usr/bin")
    assert editor.names("") == []
