# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import SourceError
from ostrya.image.tree import TreeEditor
from ostrya.tree.commit import write_tree
from ostrya.tree.mutable_tree import MutableTree


@pytest.fixture
def editor(tx):
    editor = TreeEditor(tx, MutableTree())
    editor.write("usr/bin/tool", b"tool", 0o755)
    editor.link("usr/bin/alias", "tool")
    editor.make_dir("empty", 0o700)
    return editor


def test_what_is_written_can_be_looked_at(editor):
    assert editor.names("usr/bin") == ["alias", "tool"]
    assert editor.names("usr/nowhere") == []
    assert editor.read("usr/bin/tool") == b"tool"
    assert editor.header("usr/bin/tool").mode == 0o100755
    assert editor.link_target("usr/bin/alias") == "tool"
    assert editor.link_target("usr/bin/tool") is None
    assert editor.is_file("usr/bin/tool")
    assert not editor.is_file("usr/bin/alias")
    assert not editor.is_file("usr/bin")
    assert editor.find("") is editor.root
    assert editor.find("no/where") is None
    assert sorted(editor.files_below("")) == ["usr/bin/alias", "usr/bin/tool"]


def test_a_tree_can_be_committed(editor):
    assert write_tree(editor.tx, editor.root).contents


def test_what_is_not_there_cannot_be_read(editor):
    with pytest.raises(SourceError, match="no file /usr/bin"):
        editor.read("usr/bin")
    with pytest.raises(SourceError, match="too large"):
        editor.read("usr/bin/tool", max_bytes=3)


def test_rewriting_leaves_owner_and_mode(editor):
    editor.rewrite("usr/bin/tool", b"other")
    assert editor.header("usr/bin/tool").mode == 0o100755
    assert editor.read("usr/bin/tool") == b"other"
    editor.rewrite("usr/new", b"new")
    assert editor.header("usr/new").mode == 0o100644


def test_removing(editor):
    assert editor.remove("usr/bin/alias")
    assert not editor.remove("usr/bin/alias")
    assert not editor.remove("no/where")
    assert editor.empty("usr/bin") == ["tool"]
    assert editor.names("usr/bin") == []


def test_a_directory_moves_with_all_it_is(editor):
    metadata = editor.find_dir("empty").metadata_checksum
    editor.write("empty/deep/file", b"x")
    assert editor.move("empty", "var/kept") == []
    assert editor.find("empty") is None
    assert editor.find_dir("var/kept").metadata_checksum == metadata
    assert editor.read("var/kept/deep/file") == b"x"


def test_directories_are_merged(editor):
    editor.write("bin/other", b"other")
    editor.write("bin/tool", b"tool", 0o755)
    assert editor.move("bin", "usr/bin") == []
    assert editor.find("bin") is None
    assert editor.names("usr/bin") == ["alias", "other", "tool"]


def test_conflicts_are_told_and_nothing_of_them_is_lost(editor):
    editor.write("bin/tool", b"another tool")
    editor.write("bin/fine", b"")
    editor.make_dir("bin/alias")
    assert editor.move("bin", "usr/bin") == ["usr/bin/alias", "usr/bin/tool"]
    assert editor.read("bin/tool") == b"another tool"
    assert editor.read("usr/bin/tool") == b"tool"
    assert editor.find("bin/fine") is None


@pytest.mark.parametrize("target", ["/usr/bin/tool", "../usr/bin/tool", ".././usr/bin/../bin/tool"])
def test_a_link_to_the_other_side_gives_way(editor, target):
    editor.link("bin/tool", target)
    assert editor.move("bin", "usr/bin") == []
    assert editor.read("usr/bin/tool") == b"tool"


def test_a_link_on_the_other_side_gives_way_to_the_file(editor):
    editor.write("bin/real", b"real")
    editor.link("usr/bin/real", "/bin/real")
    assert editor.move("bin", "usr/bin") == []
    assert editor.read("usr/bin/real") == b"real"


def test_moving_what_is_not_there_does_nothing(editor):
    assert editor.move("nowhere", "usr/bin") == []
    assert editor.move("usr/bin/tool", "usr/share/tool") == []
    assert editor.read("usr/share/tool") == b"tool"


def test_a_file_can_have_another_name_too(tx):
    editor = TreeEditor(tx, MutableTree())
    editor.write("a/x", b"x")
    editor.make_dir("b/y")
    editor.copy("a/x", "b/y")
    assert editor.find("b/y") == editor.find("a/x")
    with pytest.raises(SourceError, match="no file /a"):
        editor.copy("a", "c")


def test_only_links_lead_elsewhere(tx):
    editor = TreeEditor(tx, MutableTree())
    editor.write("f", b"x")
    with pytest.raises(SourceError, match="no link /f"):
        editor.relink("f", "g")
