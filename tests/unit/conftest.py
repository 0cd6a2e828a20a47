# SPDX-License-Identifier: Apache-2.0
"""A repository, and a transaction in it, for tests that do not say which."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ostrya.repo.repository import Repository
from ostrya.repo.transaction import Transaction
from support.small_repos import make_repo


@pytest.fixture
def repo(tmp_path) -> Iterator[Repository]:
    """An archive."""
    with make_repo(tmp_path / "repo") as repo:
        yield repo


@pytest.fixture
def tx(repo) -> Iterator[Transaction]:
    """A transaction in ``repo``; dropped unless the test commits it."""
    with Transaction(repo) as tx:
        yield tx
