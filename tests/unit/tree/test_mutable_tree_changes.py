# SPDX-License-Identifier: Apache-2.0
"""Trees that begin with a commit: what was changed below is written up to the root."""

from __future__ import annotations

import hashlib

import pytest

from ostrya.formats.dirtree import DirTree
from ostrya.tree.mutable_tree import MutableTree


def name(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Objects:
    """Dirtree objects in memory."""

    def __init__(self) -> None:
        self.trees: dict[str, DirTree] = {}

    def put(self, tree: DirTree) -> str:
        checksum = hashlib.sha256(tree.encode()).hexdigest()
        self.trees[checksum] = tree
        return checksum

    def write(self, tree: MutableTree) -> str:
        for directory in tree.unwritten():
            directory.set_contents_checksum(self.put(directory.to_dirtree()))
        assert tree.contents_checksum is not None
        return tree.contents_checksum


@pytest.fixture
def objects():
    return Objects()


@pytest.fixture
def base(objects):
    """/a/b/file and /c, from objects."""
    b = objects.put(DirTree((("file", name("old")),), ()))
    a = objects.put(DirTree((), (("b", b, name("meta")),)))
    c = objects.put(DirTree((), ()))
    root = objects.put(DirTree((), (("a", a, name("meta")), ("c", c, name("meta")))))
    return MutableTree.from_checksums(root, name("meta"), objects.trees.__getitem__)


def test_nothing_changed_nothing_written(objects, base):
    before = base.contents_checksum
    base.ensure_dir("a").ensure_dir("b")
    assert list(base.unwritten()) == []
    assert base.contents_checksum == before


def test_a_file_changed_far_below(objects, base):
    before = base.contents_checksum
    base.ensure_dir("a").ensure_dir("b").replace_file("file", name("new"))
    root = objects.trees[objects.write(base)]
    a = objects.trees[root.dirs[0][1]]
    b = objects.trees[a.dirs[0][1]]
    assert b.files == (("file", name("new")),)
    assert base.contents_checksum != before


def test_only_a_directorys_metadata_changed(objects, base):
    base.ensure_dir("a").ensure_dir("b").set_metadata_checksum(name("other"))
    root = objects.trees[objects.write(base)]
    a = objects.trees[root.dirs[0][1]]
    assert a.dirs[0][2] == name("other")


def test_written_trees_may_change_again(objects, base):
    a = base.ensure_dir("a")
    a.replace_file("first", name("1"))
    first = objects.write(base)
    assert list(base.unwritten()) == []
    a.ensure_dir("b").replace_file("second", name("2"))
    second = objects.write(base)
    assert first != second
    assert objects.trees[second].dirs[1] == objects.trees[first].dirs[1]


def test_the_same_again_is_no_change(objects, base):
    before = base.contents_checksum
    base.ensure_dir("a").ensure_dir("b").replace_file("file", name("old"))
    base.ensure_dir("c").set_metadata_checksum(name("meta"))
    assert objects.write(base) == before
