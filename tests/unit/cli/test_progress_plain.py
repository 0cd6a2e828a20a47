# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from ostrya.cli import progress_plain
from ostrya.cli.progress_plain import PlainProgress
from ostrya.progress import Advanced, Finished, Started, Unit


def test_beginning_and_end():
    stream = io.StringIO()
    progress = PlainProgress(stream)
    progress.send(Started("read", 5000, Unit.BYTES))
    progress.send(Started("count", None, Unit.ITEMS))
    progress.send(Advanced("read", 100))
    progress.send(Finished("count", 7))
    progress.send(Finished("read", 5000))
    assert stream.getvalue() == "read ...\ncount ...\ncount: done (7)\nread: done (5.0\xa0kB)\n"


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(progress_plain, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_objects_bytes_rate_and_time_left(clock):
    stream = io.StringIO()
    progress = PlainProgress(stream, interval_s=2.0)
    progress.send(Started("get", None, Unit.ITEMS))
    for clock.now, done in ((101.0, 1), (102.0, 2), (103.0, 3), (104.0, 4)):
        progress.send(Advanced("get", done, 10, done * 1000))
    progress.send(Advanced("unknown", 3))
    progress.send(Finished("get", 10, 12345))
    assert stream.getvalue().replace("\xa0", " ").splitlines() == [
        "get ...",
        "get: 2/10, 2.0 kB, 1.0 kB/s, 0:00:08 left",
        "get: 4/10, 4.0 kB, 1.0 kB/s, 0:00:06 left",
        "get: done (10, 12.3 kB)",
    ]


def test_tasks_that_count_bytes(clock):
    stream = io.StringIO()
    progress = PlainProgress(stream)
    progress.send(Started("read", 4000, Unit.BYTES))
    clock.now += 1
    progress.send(Advanced("read", 1000))
    line = stream.getvalue().splitlines()[1]
    assert line.replace("\xa0", " ") == "read: 1.0 kB/4.0 kB, 1.0 kB/s, 0:00:03 left"


def test_short_work_may_be_quiet(clock):
    stream = io.StringIO()
    progress = PlainProgress(stream, quiet_s=5.0)
    progress.send(Started("get", None, Unit.ITEMS))
    clock.now += 4
    progress.send(Advanced("get", 1))
    progress.send(Finished("get", 2))
    assert stream.getvalue() == ""
    progress.send(Started("get", None, Unit.ITEMS))
    clock.now += 5
    progress.send(Advanced("get", 1))
    clock.now += 1
    progress.send(Advanced("get", 2))
    progress.send(Finished("get", 3))
    assert stream.getvalue() == "get: 1\nget: 2\nget: done (3)\n"
