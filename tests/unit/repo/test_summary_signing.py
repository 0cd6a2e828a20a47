# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from ostrya.errors import FormatError, RepoError
from ostrya.repo import summary_signing
from ostrya.repo.summary import regenerate_summary
from ostrya.repo.summary_signing import read_summary_signatures, sign_summary, verify_summary
from ostrya.sign.dummy import DummySigner, DummyVerifier
from ostrya.sign.ed25519 import Ed25519Signer, Ed25519Verifier
from ostrya.sign.errors import NoSignature, UntrustedKey
from ostrya.sign.matching import TrustedKeys
from support.ed25519_keys import key_pair
from support.small_repos import commit_files, make_repo

ONE = key_pair(1)
VERIFIER = Ed25519Verifier(TrustedKeys((ONE.public,)))


@pytest.fixture
def repo(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        commit_files(repo, tmp_path, {"file": "content"})
        yield repo


def test_signed_when_it_is_made(repo):
    regenerate_summary(repo, signers=[Ed25519Signer(ONE.secret), DummySigner(b"word")])
    assert read_summary_signatures(repo).keys() == ("ostree.sign.ed25519", "ostree.sign.dummy")
    assert verify_summary(repo, VERIFIER).startswith("ed25519: ")
    regenerate_summary(repo)
    assert read_summary_signatures(repo) is None
    with pytest.raises(NoSignature):
        verify_summary(repo, VERIFIER)


def test_signed_later(repo):
    regenerate_summary(repo, now=1)
    sign_summary(repo, [DummySigner(b"word")])
    sign_summary(repo, [Ed25519Signer(ONE.secret)])
    assert verify_summary(repo, VERIFIER)
    assert verify_summary(repo, DummyVerifier([b"word"]))


def test_old_signatures_do_not_fit_a_new_summary(repo):
    regenerate_summary(repo, now=1, signers=[Ed25519Signer(ONE.secret)])
    old = (Path(repo.path) / "summary.sig").read_bytes()
    regenerate_summary(repo, now=2)
    (Path(repo.path) / "summary.sig").write_bytes(old)
    with pytest.raises(UntrustedKey):
        verify_summary(repo, VERIFIER)


def test_damaged_files_are_named(repo, monkeypatch):
    regenerate_summary(repo)
    (Path(repo.path) / "summary.sig").write_bytes(b"borkborkbork")
    with pytest.raises(FormatError, match=r"repo/summary\.sig: "):
        read_summary_signatures(repo)
    monkeypatch.setattr(summary_signing, "MAX_SIGNATURES_BYTES", 3)
    with pytest.raises(RepoError, match=r"summary\.sig of repo .* is too large"):
        read_summary_signatures(repo)
