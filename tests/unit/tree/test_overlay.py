# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.reader import load_dirmeta, load_file
from ostrya.repo.transaction import Transaction
from ostrya.tree.errors import TreeConflict
from ostrya.tree.modifier import CommitModifier
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.overlay import overlay_commit
from support.small_repos import commit_files, commit_tree, plain_tree


def lay(tx, *commits, modifier=None) -> MutableTree:
    tree = MutableTree()
    for commit in commits:
        overlay_commit(tx, commit, tree, modifier)
    return tree


@pytest.fixture
def lower(repo, tmp_path):
    return commit_files(repo, tmp_path, {"d/a": "lower", "d/b": "lower", "only/l": "x"})


@pytest.fixture
def upper(repo, tmp_path):
    return commit_files(repo, tmp_path, {"d/b": "upper", "d/c": "upper", "new/u": "x"})


MODIFIERS = [None, CommitModifier(), CommitModifier(owner_uid=9)]


@pytest.mark.parametrize("modifier", MODIFIERS, ids=["none", "idle", "changing"])
def test_one_over_another(lower, upper, tx, modifier):
    tree = lay(tx, lower, upper, modifier=modifier)
    assert sorted(tree.dirs()) == ["d", "new", "only"]
    files = tree.walk(["d"]).files()
    contents = {}
    for name, checksum in files.items():
        with load_file(tx.repo, checksum) as loaded:
            contents[name] = loaded.read()
    assert contents == {"a": b"lower", "b": b"upper", "c": b"upper"}


def test_alone_and_unchanged_nothing_is_loaded(lower, tx):
    assert lay(tx, lower).contents_checksum is not None
    assert tx.counts.metadata_total == 0


@pytest.mark.parametrize("modifier", MODIFIERS, ids=["none", "idle", "changing"])
def test_a_file_over_a_directory(repo, tmp_path, lower, modifier):
    other = commit_files(repo, tmp_path, {"d": "file"})
    with Transaction(repo) as tx, pytest.raises(TreeConflict, match="d"):
        lay(tx, lower, other, modifier=modifier)


def test_changes_reach_files_links_and_directories(repo, tmp_path):
    commit = commit_tree(repo, plain_tree(tmp_path / "tree"))
    modifier = CommitModifier(
        owner_uid=3, owner_gid=4, mode_overrides={"/etc/conf": 0o600}, skip_paths={"/etc/empty", "/hollow"}
    )  # fmt: skip
    with Transaction(repo) as tx:
        tree = lay(tx, commit, modifier=modifier)
        modifier.check_all_matched()
        assert sorted(tree.dirs()) == ["etc", "usr"]
        assert list(tree.walk(["etc"]).files()) == ["conf"]
        for place, name in ((["etc"], "conf"), ([], "bin"), (["usr", "bin"], "tool")):
            with load_file(repo, tree.walk(place).files()[name]) as loaded:
                assert loaded.header[:2] == (3, 4)
        with load_file(repo, tree.walk(["etc"]).files()["conf"]) as loaded:
            assert loaded.header.mode == 0o100600
            assert loaded.read() == b"key=value\n"
        dirmeta = load_dirmeta(repo, tree.walk(["usr"]).metadata_checksum)
        assert dirmeta[:2] == (3, 4)


def test_a_commit_that_is_not_there(tx):
    with pytest.raises(ObjectNotFound):
        lay(tx, "ab" * 32)
