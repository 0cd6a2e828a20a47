# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time

import pytest

from ostrya.worker_threads import PAUSE, Feed, run_threads


class Patient:
    """Work without an end, until it is told to stop; a batch ``x`` fails once others are at it."""

    def __init__(self):
        self.stopped = threading.Event()
        self.working = threading.Event()

    def make(self):
        return self.work

    def work(self, batch):
        if batch == "x":
            assert self.working.wait(10)
            raise KeyError(batch)
        self.working.set()
        assert self.stopped.wait(10)
        return batch


def run(patient, batches, jobs=3):
    return run_threads(patient.make, iter(batches), jobs, lambda: None, patient.stopped.set)


def test_results():
    found = run_threads(
        lambda: lambda n: (n, threading.get_ident()), iter(range(20)), 2, print, print
    )
    numbers, threads = zip(*found, strict=True)
    assert sorted(numbers) == list(range(20))
    assert threading.get_ident() not in threads
    assert len(set(threads)) <= 2


@pytest.mark.timeout(20)
def test_an_error_stops_those_that_are_at_work():
    begun = time.monotonic()
    with pytest.raises(KeyError):
        list(run(Patient(), ["a", "b", "x", "c", PAUSE, "d"]))
    assert time.monotonic() - begun < 5


@pytest.mark.timeout(20)
def test_an_error_of_who_makes_batches_stops_them():
    def batches():
        yield from "ab"
        raise KeyError

    patient = Patient()
    with pytest.raises(KeyError):
        list(run(patient, batches()))
    assert patient.stopped.is_set()


@pytest.mark.timeout(20)
def test_closing_early_stops_them():
    patient = Patient()
    running = run_threads(
        lambda: lambda batch: batch if batch == "a" else patient.work(batch),
        iter("abc"), 2, lambda: None, patient.stopped.set,
    )  # fmt: skip
    assert next(running) == "a"
    running.close()
    assert patient.stopped.is_set()


def test_nothing_to_stop_where_all_is_done():
    patient = Patient()
    assert list(run_threads(lambda: str, iter([1]), 2, print, patient.stopped.set)) == ["1"]
    assert not patient.stopped.is_set()


def test_a_pause_ends_a_round_without_a_wait():
    feed = Feed(iter([1, PAUSE, 2, 3]))
    feed.begin_round()
    assert [feed.take(), feed.take(), feed.take()] == [1, None, None]
    assert (feed.patience_s, feed.more) == (0, True)
    feed.begin_round()
    assert feed.patience_s > 0
    assert [feed.take(), feed.take(), feed.take(), feed.take()] == [2, 3, None, None]
    assert not feed.more
