# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.errors import OstryaError
from ostrya.image.errors import SourceError
from ostrya.image.intake.commits import take_commit
from ostrya.image.sources import take_in
from ostrya.image.tree import TreeEditor
from ostrya.progress import NULL_PROGRESS
from ostrya.repo.modes import RepoMode
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import write_commit, write_tree
from support.image_world import ROOTFS, write_tar
from support.small_repos import make_repo


@pytest.fixture
def other(tmp_path):
    """Another repository with a commit; its path, the commit and its root."""
    with make_repo(tmp_path / "other", RepoMode.BARE_USER) as repo, Transaction(repo) as tx:
        editor = take_in(tx, str(write_tar(tmp_path / "x.tar", ROOTFS))).editor
        root = write_tree(tx, editor.root)
        checksum = write_commit(tx, root, timestamp=1)
        tx.set_ref(None, "os/base", checksum)
        tx.commit()
    return str(tmp_path / "other"), checksum, root


@pytest.mark.parametrize("by", ["ref", "checksum"])
def test_of_another_repository(tx, other, by):
    path, checksum, root = other
    rev = "os/base" if by == "ref" else checksum
    tree, found, timestamp = take_commit(tx, path, rev, NULL_PROGRESS)
    assert (found, timestamp) == (checksum, 1)
    editor = TreeEditor(tx, tree)
    editor.write("usr/new", b"on top")
    editor.remove("usr/new")
    assert write_tree(tx, tree) == root
    assert editor.read("usr/bin/tool") == b"#!/bin/sh\n"
    assert editor.header("etc/shadow")[:3] == (0, 42, 0o100640)


def test_what_is_not_there(tx, other, tmp_path):
    with pytest.raises(SourceError, match="has no commit os/other") as caught:
        take_commit(tx, other[0], "os/other", NULL_PROGRESS)
    assert "refs" in caught.value.hint
    with pytest.raises(SourceError, match="is no repository"):
        take_commit(tx, str(tmp_path / "nowhere"), "os/base", NULL_PROGRESS)
    with pytest.raises(SourceError, match="has no commit"):
        take_commit(tx, "", "os/base", NULL_PROGRESS)


def test_a_commit_that_is_not_whole(tx, other, tmp_path):
    for path in (tmp_path / "other/objects").rglob("*.file"):
        path.unlink()
    with pytest.raises(OstryaError):
        take_commit(tx, other[0], "os/base", NULL_PROGRESS)
