# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import FormatError
from ostrya.formats.dirtree import DirTree
from ostrya.tree.errors import TreeConflict
from ostrya.tree.mutable_tree import MutableTree

A, B, C = "a" * 64, "b" * 64, "c" * 64


class Store:
    """Dirtree objects by checksum, and how often each was loaded."""

    def __init__(self, **trees: DirTree) -> None:
        self._trees = {name * 64: tree for name, tree in trees.items()}
        self.loaded: list[str] = []

    def load(self, checksum: str) -> DirTree:
        self.loaded.append(checksum)
        return self._trees[checksum]


@pytest.fixture
def store():
    return Store(
        a=DirTree((("f", A),), (("d", B, C), ("e", C, C))), b=DirTree((("g", B),)), c=DirTree()
    )


@pytest.fixture
def tree(store):
    return MutableTree.from_checksums(A, C, store.load)


def write_all(tree) -> list[MutableTree]:
    written = []
    for number, directory in enumerate(tree.unwritten()):
        directory.to_dirtree().encode()
        directory.set_contents_checksum(f"{number:064x}")
        written.append(directory)
    return written


def test_loaded_only_when_looked_into(tree, store):
    assert tree.contents_checksum == A
    assert list(tree.unwritten()) == []
    assert store.loaded == []
    assert tree.files() == {"f": A}
    assert list(tree.dirs()) == ["d", "e"]
    assert store.loaded == [A]
    assert tree.contents_checksum == A
    assert tree.walk(["d"]).files() == {"g": B}
    assert store.loaded == [A, B]


def test_looking_changes_nothing(tree):
    tree.walk(["d"]).files()
    assert list(tree.unwritten()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.walk(["d"]).replace_file("g", C),
        lambda tree: tree.walk(["d"]).replace_file("new", C),
        lambda tree: tree.walk(["d"]).remove("g"),
    ],
)
def test_a_change_below_is_a_change_of_all_above(tree, change):
    change(tree)
    assert tree.contents_checksum is None
    assert write_all(tree) == [tree.walk(["d"]), tree]
    assert tree.contents_checksum is not None
    assert list(tree.unwritten()) == []


def test_the_same_file_again_is_no_change(tree):
    tree.walk(["d"]).replace_file("g", B)
    assert tree.contents_checksum == A


def test_a_change_of_metadata_of_a_child_is_told_by_its_parent(tree):
    tree.ensure_dir("x").set_metadata_checksum(C)
    write_all(tree)
    assert tree.to_dirtree().dirs[-1][0] == "x"


class TestConflicts:
    def test_a_file_over_a_directory(self, tree):
        with pytest.raises(TreeConflict, match="Can't replace directory with file: d"):
            tree.replace_file("d", A)

    def test_a_directory_over_a_file(self, tree):
        with pytest.raises(TreeConflict, match="Can't replace file with directory: f"):
            tree.ensure_dir("f")

    def test_but_not_once_the_other_is_gone(self, tree):
        assert tree.remove("d")
        assert tree.remove("f")
        assert not tree.remove("f")
        tree.replace_file("d", A)
        tree.ensure_dir("f")

    @pytest.mark.parametrize("name", ["", ".", "..", "a/b", "nul\0", "\udcff"])
    def test_names_that_are_none(self, tree, name):
        with pytest.raises(FormatError):
            tree.replace_file(name, A)
        with pytest.raises(FormatError):
            tree.ensure_dir(name)
        assert tree.contents_checksum == A

    def test_a_directory_without_metadata(self):
        tree = MutableTree()
        tree.ensure_dir("d")
        with pytest.raises(TreeConflict, match="without metadata: d"):
            write_all(tree)


def test_only_an_untouched_tree_can_stand_for_a_commit(store):
    tree = MutableTree()
    assert tree.is_untouched
    assert tree.fill_from(A, C, store.load)
    assert not tree.fill_from(B, C, store.load)
    touched = MutableTree()
    touched.replace_file("f", A)
    assert not touched.fill_from(A, C, store.load)


def test_entries_are_sorted_by_bytes():
    tree = MutableTree()
    for name in ("é", "z", "a", "Z", "\U0001f427", "\uffff"):
        tree.replace_file(name, A)
    names = [name for name, _ in tree.to_dirtree().files]
    assert names == sorted(names, key=str.encode)


def test_walking_where_nothing_is(tree):
    assert tree.walk([]) is tree
    assert tree.walk(["no", "where"]) is None
    assert tree.walk(["f"]) is None


def test_deeper_than_python_recurses():
    top = tree = MutableTree()
    for _ in range(5000):
        tree.set_metadata_checksum(C)
        tree = tree.ensure_dir("d")
    tree.set_metadata_checksum(C)
    assert len(write_all(top)) == 5001
    assert top.contents_checksum is not None
    tree.replace_file("f", A)
    assert top.contents_checksum is None
