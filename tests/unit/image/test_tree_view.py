# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.boot.errors import InitramfsError
from ostrya.image.tree import TreeEditor
from ostrya.image.tree_view import EditedTreeFiles
from ostrya.tree.mutable_tree import MutableTree


@pytest.fixture
def files(tx):
    editor = TreeEditor(tx, MutableTree())
    editor.link("lib", "usr/lib")
    editor.write("usr/lib/x/libx.so.1", b"library")
    editor.link("usr/lib/libx.so", "/lib/x/libx.so.1")
    editor.link("usr/lib/loop", "loop")
    return EditedTreeFiles(editor)


def test_links_are_followed_within_the_tree(files):
    assert files.find_file("lib/libx.so") == "usr/lib/x/libx.so.1"
    assert files.read("lib/libx.so") == b"library"
    assert files.find_dir("lib/x") == "usr/lib/x"
    assert files.names("lib") == ["libx.so", "loop", "x"]
    assert files.read_text("lib/nothing") == ""


def test_what_is_not_there(files):
    assert files.find_file("usr/lib") is None
    assert files.find_dir("usr/lib/x/libx.so.1") is None
    assert files.names("nowhere") == []
    with pytest.raises(InitramfsError, match="no file /usr/lib"):
        files.read("usr/lib")
    with pytest.raises(OSError, match="loop"):
        files.find_file("usr/lib/loop")
