# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya._linux import durability
from ostrya.errors import FormatError
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.detached import read_detached, read_detached_bytes, write_detached
from ostrya.repo.transaction import Transaction
from support.small_repos import configure, make_repo, object_path, reopen

SUM = "ab" * 32
ONE, TWO = (VarDict.of({"key": Variant("s", value)}) for value in ("one", "two"))


@pytest.fixture(params=["true", "false"], ids=["fsync", "no-fsync"])
def repo(request, tmp_path, monkeypatch):
    monkeypatch.setattr(durability, "sync_filesystem", lambda _fd: None)
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    with make_repo(tmp_path / "repo") as repo:
        configure(repo, fsync=request.param)
        yield repo


def test_written_replaced_emptied(repo):
    assert read_detached(repo, SUM) is None
    for value in (ONE, TWO):
        write_detached(repo, SUM, value)
        assert read_detached(repo, SUM) == value
    write_detached(repo, SUM, None)
    assert read_detached(repo, SUM) == VarDict()


def test_in_a_transaction_it_waits_for_the_commit(repo):
    write_detached(repo, SUM, ONE)
    with Transaction(repo) as tx, reopen(repo) as other:
        write_detached(repo, SUM, TWO)
        assert read_detached(repo, SUM) == TWO
        assert read_detached(other, SUM) == ONE
        tx.commit()
        assert read_detached(other, SUM) == TWO


def test_an_aborted_one_changes_nothing(repo):
    write_detached(repo, SUM, ONE)
    with Transaction(repo):
        write_detached(repo, SUM, TWO)
    assert read_detached(repo, SUM) == ONE


def test_what_is_no_dictionary(repo):
    write_detached(repo, SUM, ONE)
    path = object_path(repo, ObjectName(SUM, ObjectType.COMMIT_META))
    path.write_bytes(b"damaged!")
    assert read_detached_bytes(repo, SUM) == b"damaged!"
    with pytest.raises(FormatError):
        read_detached(repo, SUM)
