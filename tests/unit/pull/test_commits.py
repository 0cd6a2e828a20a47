# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib

import pytest

from ostrya.errors import FormatError
from ostrya.formats.commit import Commit
from ostrya.formats.commitmeta import encode_commitmeta
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.pull.commits import CommitRules, CommitWriter
from ostrya.pull.errors import NotTrusted, OlderCommit
from ostrya.pull.planner import Wanted
from ostrya.repo.detached import read_detached
from ostrya.repo.errors import BindingMismatch
from ostrya.repo.partial import is_partial
from ostrya.repo.reader import has_object, load_commit
from ostrya.repo.transaction import Transaction
from support.small_repos import make_repo

TREE = "ab" * 32
GOOD = encode_commitmeta(VarDict.of({"good": Variant("b", value=True)}))


class Judge:
    def check(self, checksum, data, detached):
        if detached is None or detached.get("good") is None:
            raise NotTrusted("nobody vouches for it")


@pytest.fixture
def repo(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        yield repo


def encoded(timestamp=5, ref="main"):
    metadata = VarDict.of({"ostree.ref-binding": Variant("as", (ref,))})
    data = Commit(metadata, None, (), "", "", timestamp, TREE, TREE).encode()
    return Wanted(ObjectName(hashlib.sha256(data).hexdigest(), ObjectType.COMMIT)), data


def writer(tx, *, refs=None, newer_than=None, verify_bindings=True):
    rules = CommitRules(
        refs or {}, None, verify_bindings=verify_bindings, newer_than=newer_than or {}
    )
    return CommitWriter(tx, Judge(), rules)


def test_a_commit_is_partial_from_the_first(repo):
    wanted, data = encoded()
    checksum = wanted.name.checksum
    with Transaction(repo) as tx:
        commit = writer(tx, refs={checksum: ["main"]}).take(wanted, data, GOOD)
        assert is_partial(repo, checksum)
        tx.commit()
    assert load_commit(repo, checksum) == commit
    assert read_detached(repo, checksum).keys() == ("good",)


@pytest.mark.parametrize("detached", [None, b"\xff", encode_commitmeta(VarDict())])
def test_nobody_vouches(repo, detached):
    wanted, data = encoded()
    with Transaction(repo) as tx, pytest.raises(NotTrusted):
        writer(tx).take(wanted, data, detached)
    assert not is_partial(repo, wanted.name.checksum)
    assert not has_object(repo, wanted.name)


def test_what_is_no_commit(repo):
    wanted = Wanted(ObjectName(TREE, ObjectType.COMMIT))
    with Transaction(repo) as tx, pytest.raises(FormatError, match=TREE):
        writer(tx).take(wanted, b"<html>", GOOD)


@pytest.mark.parametrize("verify", [True, False])
def test_a_commit_that_belongs_elsewhere(repo, verify):
    wanted, data = encoded(ref="other")
    refs = {wanted.name.checksum: ["main"]}
    with Transaction(repo) as tx:
        taker = writer(tx, refs=refs, verify_bindings=verify)
        if verify:
            with pytest.raises(BindingMismatch, match="‘main’"):
                taker.take(wanted, data, GOOD)
        else:
            taker.take(wanted, data, GOOD)


@pytest.mark.parametrize(("timestamp", "older"), [(4, True), (5, False), (6, False)])
def test_age(repo, timestamp, older):
    present, data = encoded()
    wanted, later = encoded(timestamp)
    with Transaction(repo) as tx:
        writer(tx).take(present, data, GOOD)
        rules = {wanted.name.checksum: [present.name.checksum]}
        taker = writer(tx, newer_than=rules)
        if older:
            with pytest.raises(OlderCommit, match=r"1970.*is chronologically older"):
                taker.take(wanted, later, GOOD)
        else:
            taker.take(wanted, later, GOOD)


def test_signatures_of_a_commit_that_is_here(repo):
    wanted, data = encoded()
    checksum = wanted.name.checksum
    newer = encode_commitmeta(
        VarDict.of({"good": Variant("b", value=True), "more": Variant("b", value=True)})
    )
    with Transaction(repo) as tx:
        taker = writer(tx)
        commit = taker.take(wanted, data, GOOD)
        # Nothing came, or nothing that can be read: those that are here count.
        taker.take_present(wanted, commit, None)
        taker.take_present(wanted, commit, b"\xff")
        assert read_detached(repo, checksum).keys() == ("good",)
        taker.take_present(wanted, commit, newer)
        assert set(read_detached(repo, checksum).keys()) == {"good", "more"}
        with pytest.raises(NotTrusted):
            taker.take_present(wanted, commit, encode_commitmeta(VarDict()))
        assert set(read_detached(repo, checksum).keys()) == {"good", "more"}
