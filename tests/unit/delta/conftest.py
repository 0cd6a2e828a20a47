# SPDX-License-Identifier: Apache-2.0
"""A repository with two commits, and transactions in others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import Repository
from ostrya.repo.transaction import Transaction
from support.small_repos import commit_tree, make_repo, plain_tree


@pytest.fixture
def source(tmp_path) -> Iterator[tuple[Repository, str, str]]:
    """An archive, an older commit and a newer one."""
    with make_repo(tmp_path / "source") as repo:
        top = plain_tree(tmp_path / "tree")
        old = commit_tree(repo, top)
        (top / "usr/share/doc/text").write_bytes(b"text\n" * 90 + b"another\n" * 20)
        (top / "usr/new").write_bytes(b"new\n" * 500_000)
        (top / "lib").symlink_to("usr/lib")
        yield repo, old, commit_tree(repo, top, parent=old)


@pytest.fixture
def repo(tmp_path) -> Iterator[Repository]:
    """An empty repository, which keeps what is new apart until it is on the disk."""
    with make_repo(tmp_path / "repo", RepoMode.BARE_USER, fsync="true") as repo:
        yield repo


@pytest.fixture
def tx(repo) -> Iterator[Transaction]:
    """A transaction in ``repo``; dropped unless the test commits it."""
    with Transaction(repo) as tx:
        yield tx
