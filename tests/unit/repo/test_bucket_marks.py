# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

import pytest

from ostrya.repo import bucket_marks
from ostrya.repo.bucket_marks import PRUNE, PUSH, Mark
from ostrya.repo.errors import BucketBusy
from ostrya.repo.stores.bucket import BucketStore
from support.pushing import memory_bucket


@pytest.fixture
def bucket():
    return memory_bucket()


def test_pushes_go_together(bucket):
    marks = [Mark(bucket, PUSH) for _ in range(3)]
    for mark in marks:
        mark.set()
    assert len(list(bucket.list("state"))) == 3
    for mark in marks:
        mark.remove()
    assert not list(bucket.list("state"))


@pytest.mark.parametrize(("first", "second"), [(PUSH, PRUNE), (PRUNE, PUSH)])
def test_a_push_and_a_prune_do_not(bucket, first, second):
    held = Mark(bucket, first)
    held.set()
    with pytest.raises(BucketBusy, match=f"a {first} of s3://memory/repo is under way") as raised:
        Mark(bucket, second).set()
    assert "if it was killed, delete s3://memory/repo/state/" in raised.value.hint
    # Only the first one's is left.
    assert len(list(bucket.list("state"))) == 1
    held.remove()
    Mark(bucket, second).set()


def test_a_stale_mark_keeps_nobody_away(bucket):
    Mark(bucket, PUSH).set()
    Mark(bucket, PRUNE).set(stale_s=-3600)


def test_it_is_kept_fresh_whatever_else_takes_long(bucket, monkeypatch):
    written = threading.Semaphore(0)
    put = BucketStore.put

    def counted(self, path, packed):
        put(self, path, packed)
        written.release()

    monkeypatch.setattr(BucketStore, "put", counted)
    monkeypatch.setattr(bucket_marks, "_REFRESH_S", 0.01)
    mark = Mark(bucket, PUSH)
    mark.set()
    for _ in range(5):
        assert written.acquire(timeout=30)
    mark.require_fresh()
    mark.remove()
    assert not list(bucket.list("state"))


@pytest.mark.parametrize(("kind", "other"), [(PUSH, "prune"), (PRUNE, "push")])
def test_who_was_asleep_goes_no_further(bucket, monkeypatch, kind, other):
    now = 1000.0
    monkeypatch.setattr(bucket_marks, "_now", lambda: now)
    mark = Mark(bucket, kind)
    mark.set()
    mark.require_fresh()
    now += bucket_marks.STALE_S
    with pytest.raises(BucketBusy, match=f"this {kind} could not tell .* a {other} may have run"):
        mark.require_fresh()
    mark.remove()
