# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest

from ostrya.errors import SignatureError
from ostrya.pull.errors import NotTrusted, RemoteRefusal
from ostrya.pull.places import RemotePlaces
from ostrya.pull.remote_summary import RemoteFile, SummaryCache, fetch_summary
from ostrya.repo.runtime import Runtime
from ostrya.repo.summary import regenerate_summary
from support.remote_repos import BASE, FolderFetcher
from support.small_repos import commit_files, make_repo

PLACES = RemotePlaces((BASE,), (BASE,))


class Judge:
    """Accepts a summary that its signatures repeat."""

    wants_summary = True

    def __init__(self, served: Path) -> None:
        self.served = served

    def check_summary(self, data, signatures):
        if signatures is None:
            raise NotTrusted("no signatures")
        good = (self.served / "summary.good").read_bytes()
        if data != good:
            raise SignatureError("BAD signature")


@pytest.fixture
def served(tmp_path):
    with make_repo(tmp_path / "served") as repo:
        commit_files(repo, tmp_path, {"f": "1"})
        regenerate_summary(repo, now=1)
    top = tmp_path / "served"
    (top / "summary.sig").write_bytes(b"")
    (top / "summary.good").write_bytes((top / "summary").read_bytes())
    return top


@pytest.fixture
def repo(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        yield repo


def cached(repo, suffix=""):
    return Path(repo.path, "tmp/cache/summaries", f"o{suffix}")


def fetch(repo, served, fetcher=None):
    cache = SummaryCache(repo, "o")
    try:
        return fetch_summary(fetcher or FolderFetcher(str(served)), PLACES, Judge(served), cache)
    finally:
        cache.close()


def test_fetched_verified_and_kept(repo, served):
    found = fetch(repo, served)
    assert [ref.name for ref in found.summary.refs] == ["main"]
    assert (found.data, found.signatures) == ((served / "summary").read_bytes(), b"")
    assert cached(repo).read_bytes() == found.data
    inodes = [cached(repo, suffix).stat().st_ino for suffix in ("", ".sig")]
    fetcher = FolderFetcher(str(served))
    assert fetch(repo, served, fetcher) == found
    # The signatures are the same, so the summary is.
    assert fetcher.asked == ["summary.sig"]
    assert [cached(repo, suffix).stat().st_ino for suffix in ("", ".sig")] == inodes


def test_a_kept_summary_that_is_not_the_signed_one_is_fetched_again(repo, served):
    fetch(repo, served)
    cached(repo).write_bytes(b"changed")
    assert fetch(repo, served).data == (served / "summary").read_bytes()
    assert cached(repo).read_bytes() == (served / "summary").read_bytes()


def test_what_is_not_signed(repo, served):
    (served / "summary").write_bytes(b"other")
    with pytest.raises(SignatureError, match="BAD signature"):
        fetch(repo, served)
    assert not cached(repo).exists()
    os.unlink(served / "summary.sig")
    with pytest.raises(NotTrusted):
        fetch(repo, served)
    os.unlink(served / "summary")
    with pytest.raises(NotTrusted, match="no summary found"):
        fetch(repo, served)


def test_none_at_all_is_fine_where_nobody_asks(repo, served):
    os.unlink(served / "summary")
    judge = Judge(served)
    judge.wants_summary = False
    cache = SummaryCache(repo, "o")
    assert fetch_summary(FolderFetcher(str(served)), PLACES, judge, cache) is None
    cache.close()


def test_what_is_no_summary(repo, served):
    for name in ("summary", "summary.good"):
        (served / name).write_bytes(b"<html>")
    with pytest.raises(RemoteRefusal, match="summary is damaged"):
        fetch(repo, served)


def test_the_cache(tmp_path, repo):
    cache = SummaryCache(repo, "a/b", str(tmp_path / "elsewhere"))
    assert cache.load("") is None
    cache.store("", RemoteFile(b"data", '"tag"', 1_000_000_000))
    found = cache.load("")
    assert (found.data, found.last_modified) == (b"data", 1_000_000_000)
    assert found.etag in ('"tag"', None)
    assert (tmp_path / "elsewhere/summaries/a_b").read_bytes() == b"data"
    cache.close()


def test_no_cache(tmp_path):
    with make_repo(tmp_path / "repo", runtime=Runtime(use_cache=False)) as repo:
        cache = SummaryCache(repo, "o")
        cache.store("", RemoteFile(b"data"))
        assert cache.load("") is None
        assert not cached(repo).exists()


def test_one_without_signatures_is_kept_too(repo, served, tmp_path):
    fetch(repo, served)
    assert cached(repo, ".sig").exists()
    os.unlink(served / "summary.sig")
    with make_repo(tmp_path / "other") as other:
        regenerate_summary(other, now=2)
    (served / "summary").write_bytes((tmp_path / "other/summary").read_bytes())
    judge = Judge(served)
    judge.wants_summary = False
    judge.check_summary = lambda _data, _signatures: None

    def fetch_unsigned() -> None:
        cache = SummaryCache(repo, "o")
        found = fetch_summary(FolderFetcher(str(served)), PLACES, judge, cache)
        cache.close()
        assert found is not None
        assert cached(repo).read_bytes() == found.data == (served / "summary").read_bytes()

    fetch_unsigned()
    # They would vouch for what they are not of.
    assert not cached(repo, ".sig").exists()
    inode = cached(repo).stat().st_ino
    fetch_unsigned()
    assert cached(repo).stat().st_ino == inode
