# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import PullError
from ostrya.pull.local_summary import resolve_in_summary
from ostrya.pull.pull_local import PullLocalOptions, pull_local
from ostrya.repo.errors import RefNotFound
from ostrya.repo.refs import resolve_ref
from ostrya.repo.signing import sign_commit
from ostrya.repo.summary import regenerate_summary
from ostrya.sign.dummy import DummySigner, DummyVerifier
from ostrya.sign.errors import NoSignature, UntrustedKey
from support.small_repos import commit_files, make_repo

VERIFIER = DummyVerifier([b"word"])
SIGNER = DummySigner(b"word")


@pytest.fixture
def source(tmp_path):
    with make_repo(tmp_path / "source") as source:
        yield source


def test_the_summary_says_where_refs_point_to(source, tmp_path):
    first = commit_files(source, tmp_path, {"file": "1"})
    regenerate_summary(source, signers=[SIGNER])
    commit_files(source, tmp_path, {"file": "2"})
    found = resolve_in_summary(source, ["main", first[::-1]], VERIFIER)
    assert found == [("main", first), (first[::-1], first[::-1])]
    with pytest.raises(RefNotFound):
        resolve_in_summary(source, ["other"], VERIFIER)


def test_nobody_vouches(source, tmp_path):
    commit_files(source, tmp_path, {"file": "1"})
    with pytest.raises(PullError, match="but no summary found"):
        resolve_in_summary(source, ["main"], VERIFIER)
    regenerate_summary(source)
    with pytest.raises(NoSignature, match="but no summary signatures found"):
        resolve_in_summary(source, ["main"], VERIFIER)
    regenerate_summary(source, signers=[DummySigner(b"other")])
    with pytest.raises(UntrustedKey):
        resolve_in_summary(source, ["main"], VERIFIER)


def test_pulling_what_the_summary_says(source, tmp_path):
    first = commit_files(source, tmp_path, {"file": "1"})
    regenerate_summary(source, signers=[SIGNER])
    commit_files(source, tmp_path, {"file": "2"})
    with make_repo(tmp_path / "repo") as repo:
        pull_local(repo, source, ["main"], PullLocalOptions(summary_verifier=VERIFIER))
        assert resolve_ref(repo, None, "main") == first


def test_every_commit_is_verified(source, tmp_path):
    first = commit_files(source, tmp_path, {"file": "1"})
    options = PullLocalOptions(commit_verifier=VERIFIER)
    with make_repo(tmp_path / "repo") as repo:
        with pytest.raises(NoSignature, match=f"^Commit {first}: "):
            pull_local(repo, source, ["main"], options)
        assert resolve_ref(repo, None, "main", allow_noent=True) is None
        sign_commit(source, first, SIGNER)
        pull_local(repo, source, ["main"], options)
        assert resolve_ref(repo, None, "main") == first
