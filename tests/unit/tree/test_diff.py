# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import shutil
from contextlib import closing

import pytest

from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import create_repository
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import write_commit, write_tree
from ostrya.tree.diff import HostView, compare_trees, open_commit_tree, open_host_tree
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.scan import write_directory

AS_IT_IS = HostView()


def _populate(top):
    for name in ("same", "changed", "gone", "becomes-dir"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(name)
    for name in ("kept/deep/file", "vanishes/one", "vanishes/two", "becomes-file/x", "chmodded/x"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(name)
    os.symlink("same", top / "link")


def _change(top):
    (top / "changed").write_text("changed more")
    (top / "gone").unlink()
    shutil.rmtree(top / "vanishes")
    (top / "becomes-dir").unlink()
    (top / "becomes-dir").mkdir()
    (top / "becomes-dir/inside").write_text("x")
    shutil.rmtree(top / "becomes-file")
    (top / "becomes-file").write_text("x")
    (top / "chmodded").chmod(0o700)
    (top / "kept/deep/file").chmod(0o600)
    (top / "link").unlink()
    os.symlink("elsewhere", top / "link")
    (top / "new/sub").mkdir(parents=True)
    (top / "new/sub/file").write_text("x")
    (top / "new/file").write_text("x")
    (top / "added").write_text("x")


EXPECTED = (
    # Files of a directory come before its directories; each directory before what is in it.
    (
        *("/becomes-dir", "/changed", "/link", "/becomes-file", "/chmodded"),
        "/kept/deep/file",
    ),
    ("/gone", "/vanishes"),
    ("/added", "/new", "/new/file", "/new/sub", "/new/sub/file"),
)


def _commit(repo, top):
    with Transaction(repo) as transaction:
        tree = MutableTree()
        write_directory(transaction, str(top), tree)
        checksum = write_commit(transaction, write_tree(transaction, tree), timestamp=0)
        transaction.commit()
    return checksum


@pytest.fixture
def trees(tmp_path):
    """Two releases, each as a directory and as a commit."""
    old, new = tmp_path / "old", tmp_path / "new"
    _populate(old)
    shutil.copytree(old, new, symlinks=True)
    _change(new)
    with create_repository(str(tmp_path / "repo"), RepoMode.ARCHIVE) as repo:
        commits = {old: _commit(repo, old), new: _commit(repo, new)}

        def open_tree(name, *, as_commit, view=AS_IT_IS):
            path = tmp_path / name
            if as_commit:
                return closing(open_commit_tree(repo, commits[path]))
            return closing(open_host_tree(str(path), view))

        yield open_tree


@pytest.mark.parametrize("old_commit", [True, False], ids=["old-commit", "old-host"])
@pytest.mark.parametrize("new_commit", [True, False], ids=["new-commit", "new-host"])
def test_every_kind_of_change(trees, old_commit, new_commit):
    with trees("old", as_commit=old_commit) as a, trees("new", as_commit=new_commit) as b:
        assert compare_trees(a, b) == EXPECTED


@pytest.mark.parametrize("as_commit", [True, False], ids=["commit", "host"])
def test_a_tree_is_equal_to_itself(trees, as_commit):
    with trees("old", as_commit=True) as a, trees("old", as_commit=as_commit) as b:
        assert compare_trees(a, b) == ((), (), ())


def test_pretended_owner_differs_everywhere(trees):
    view = HostView(uid=os.getuid() + 1)
    with trees("old", as_commit=True) as a, trees("old", as_commit=False, view=view) as b:
        found = compare_trees(a, b)
    assert "/same" in found.modified
    assert "/kept/deep" in found.modified
    assert found.removed == found.added == ()


def test_extended_attributes_count_unless_told_otherwise(trees, tmp_path):
    try:
        os.setxattr(tmp_path / "old/same", "user.ostrya", b"x")
    except OSError:
        pytest.skip("no user xattrs here")
    for with_xattrs, expected in ((True, ("/same",)), (False, ())):
        view = HostView(with_xattrs=with_xattrs)
        with trees("old", as_commit=True) as a, trees("old", as_commit=False, view=view) as b:
            assert compare_trees(a, b).modified == expected


def test_what_no_commit_can_hold_is_compared_too(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        os.mkfifo(tmp_path / name / "pipe", 0o600)
    os.chmod(tmp_path / "b/pipe", 0o644)
    a, b = (open_host_tree(str(tmp_path / name)) for name in ("a", "b"))
    with closing(a), closing(b):
        assert compare_trees(a, b) == (("/pipe",), (), ())
        assert compare_trees(a, a) == ((), (), ())


def test_a_missing_directory_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_host_tree(str(tmp_path / "nope"))
