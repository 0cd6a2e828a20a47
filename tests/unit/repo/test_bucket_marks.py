# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.repo import bucket_marks
from ostrya.repo.bucket_marks import PRUNE, PUSH, Mark
from ostrya.repo.errors import BucketBusy
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


def test_it_is_kept_fresh(bucket, monkeypatch):
    mark = Mark(bucket, PUSH)
    mark.set()
    mark.remove()
    mark.keep()
    assert not list(bucket.list("state"))
    monkeypatch.setattr(bucket_marks, "_REFRESH_S", -1)
    mark.keep()
    assert list(bucket.list("state"))
