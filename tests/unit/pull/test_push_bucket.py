# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.pull.push import PushOptions, push
from ostrya.pull.push_bucket import BucketTarget, bucket_target
from ostrya.repo import bucket_marks
from ostrya.repo.bucket_marks import PRUNE, Mark
from ostrya.repo.errors import BucketBusy
from ostrya.repo.stores.bucket import BucketOptions
from support.pushing import DyingFiles, memory_bucket, read_all
from support.small_repos import commit_files


@pytest.fixture
def main(repo, tmp_path):
    return commit_files(repo, tmp_path, {"a": "b"})


def test_its_mark_comes_and_goes(repo, main):
    files = DyingFiles(memory_bucket())
    push(repo, BucketTarget(files), ["main"])
    marks = [(deed, path) for deed, path in files.requests if path.startswith("state/push-")]
    assert [deed for deed, _ in marks] == ["put", "delete"]
    assert not list(files.list("state"))


def test_it_gives_way_to_a_prune(repo, main):
    bucket = memory_bucket()
    Mark(bucket, PRUNE).set()
    with pytest.raises(BucketBusy):
        push(repo, BucketTarget(bucket), ["main"])
    assert not [path for path in read_all(bucket) if path.startswith(("objects", "state/push"))]


def test_a_dry_run_leaves_no_mark(repo, main):
    bucket = memory_bucket()
    Mark(bucket, PRUNE).set()
    push(repo, BucketTarget(bucket), ["main"], PushOptions(dry_run=True))


@pytest.mark.parametrize("deed", ["has_commit", "read_ref"])
def test_who_was_asleep_moves_no_ref(repo, main, monkeypatch, deed):
    """A prune may have deleted what was there already."""
    now = 1000.0
    real = getattr(BucketTarget, deed)

    def slow(self, name):
        nonlocal now
        now += bucket_marks.STALE_S
        return real(self, name)

    monkeypatch.setattr(bucket_marks, "_now", lambda: now)
    monkeypatch.setattr(BucketTarget, deed, slow)
    bucket = memory_bucket()
    with pytest.raises(BucketBusy, match="a prune may have run"):
        push(repo, BucketTarget(bucket), ["main"])
    assert not list(bucket.list("refs"))


def test_its_address():
    assert bucket_target("s3://a/b/", BucketOptions()).shown == "s3://a/b"
