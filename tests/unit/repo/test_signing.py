# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import FormatError
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.repo.detached import read_detached, write_detached, write_detached_bytes
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.signing import (
    commit_signatures,
    delete_commit_signatures,
    sign_commit,
    verify_commit,
)
from ostrya.sign.dummy import DummySigner, DummyVerifier
from ostrya.sign.ed25519 import Ed25519Signer, Ed25519Verifier
from ostrya.sign.errors import NoSignature
from ostrya.sign.matching import TrustedKeys
from support.ed25519_keys import key_pair
from support.small_repos import commit_files, make_repo

ONE, TWO = key_pair(1), key_pair(2)


@pytest.fixture
def committed(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        yield repo, commit_files(repo, tmp_path, {"file": "content"})


def test_signatures_are_appended(committed):
    repo, checksum = committed
    write_detached(repo, checksum, VarDict.of({"mine": Variant("s", "kept")}))
    for pair in (ONE, TWO):
        sign_commit(repo, checksum, Ed25519Signer(pair.secret))
    sign_commit(repo, checksum, DummySigner(b"word"))
    metadata = read_detached(repo, checksum)
    assert metadata.keys() == ("mine", "ostree.sign.ed25519", "ostree.sign.dummy")
    assert len(commit_signatures(repo, checksum, "ostree.sign.ed25519")) == 2
    for pair in (ONE, TWO):
        assert verify_commit(repo, checksum, Ed25519Verifier(TrustedKeys((pair.public,))))


def test_unsigned(committed):
    repo, checksum = committed
    with pytest.raises(NoSignature):
        verify_commit(repo, checksum, DummyVerifier([b"word"]))
    assert commit_signatures(repo, checksum, "ostree.sign.dummy") is None
    assert delete_commit_signatures(repo, checksum, "ostree.sign.dummy", lambda _: True) == 0


def test_signatures_are_deleted(committed):
    repo, checksum = committed
    for word in (b"one", b"two"):
        sign_commit(repo, checksum, DummySigner(word))
    key = "ostree.sign.dummy"
    assert delete_commit_signatures(repo, checksum, key, lambda one: one == b"three") == 0
    assert delete_commit_signatures(repo, checksum, key, lambda one: one == b"one") == 1
    assert commit_signatures(repo, checksum, key) == (b"two",)
    assert delete_commit_signatures(repo, checksum, key, lambda _: True) == 1
    assert read_detached(repo, checksum) == ()


def test_no_commit(committed):
    repo, checksum = committed
    with pytest.raises(ObjectNotFound):
        sign_commit(repo, checksum[::-1], DummySigner(b"word"))


def test_damaged_signatures_are_named(committed):
    repo, checksum = committed
    write_detached_bytes(repo, checksum, b"borkborkbork")
    with pytest.raises(FormatError, match=f"Failed to read detached metadata of {checksum}"):
        verify_commit(repo, checksum, DummyVerifier([b"word"]))
