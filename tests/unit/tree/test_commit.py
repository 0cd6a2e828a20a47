# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.commit import KEY_SIZES
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectType
from ostrya.repo.fsck import fsck
from ostrya.repo.reader import load_commit, load_dirtree
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import tree_from_commit, write_commit, write_tree
from ostrya.tree.errors import TreeConflict
from ostrya.tree.mutable_tree import MutableTree
from support.small_repos import commit_files, names_of


def test_an_empty_tree_is_none(repo):
    with Transaction(repo) as tx, pytest.raises(TreeConflict, match="Can't commit an empty tree"):
        write_tree(tx, MutableTree())


def test_what_it_says(repo, tmp_path):
    first = commit_files(repo, tmp_path, {"d/f": "x"})
    with Transaction(repo) as tx:
        root = write_tree(tx, tree_from_commit(repo, first))
        checksum = write_commit(
            tx, root, timestamp=7, parent=first, subject="s", body="b",
            metadata=VarDict.of({"k": Variant("s", "v")}),
        )  # fmt: skip
        tx.commit()
    commit = load_commit(repo, checksum)
    assert (commit.timestamp, commit.parent, commit.subject, commit.body) == (7, first, "s", "b")
    assert commit.metadata.lookup("k", "s") == "v"
    assert commit.root_contents == load_commit(repo, first).root_contents


def test_only_what_changed_is_written(repo, tmp_path):
    first = commit_files(repo, tmp_path, {"a/f": "x", "b/c/g": "y", "b/d/h": "z"})
    before = names_of(repo, ObjectType.DIR_TREE)
    with Transaction(repo) as tx:
        tree = tree_from_commit(repo, first)
        tree.walk(["b", "c"]).replace_file("new", tree.walk(["a"]).files()["f"])
        root = write_tree(tx, tree)
        second = write_commit(tx, root, timestamp=0)
        tx.commit()
    assert len(names_of(repo, ObjectType.DIR_TREE) - before) == 3
    assert (
        load_dirtree(repo, root.contents).dirs[0]
        == load_dirtree(repo, load_commit(repo, first).root_contents).dirs[0]
    )
    assert second
    fsck(repo, jobs=1)


def test_sizes_come_last(repo, tmp_path):
    with Transaction(repo) as tx:
        tx.want_sizes()
        tree = MutableTree()
        dirmeta = DirMeta(0, 0, 0o040755).encode()
        tree.set_metadata_checksum(tx.writer.write_metadata(ObjectType.DIR_META, dirmeta))
        metadata = VarDict.of({"z": Variant("s", "v")})
        checksum = write_commit(tx, write_tree(tx, tree), timestamp=0, metadata=metadata)
        tx.commit()
    assert [key for key, _ in load_commit(repo, checksum).metadata] == ["z", KEY_SIZES]
