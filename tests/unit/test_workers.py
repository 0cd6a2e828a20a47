# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import threading
import time
import weakref
from contextlib import suppress

import pytest

from ostrya import worker_threads, workers
from ostrya.errors import OstryaError, WorkerDied
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.errors import ChecksumMismatch, ObjectInvalid, ObjectNotFound
from ostrya.tree.errors import ChangedWhileRead, PathNotFound, UnmatchedPaths, UnsupportedFile
from ostrya.worker_threads import PAUSE
from ostrya.workers import map_batches
from support.small_repos import open_fds

SUM = "ab" * 32


@pytest.fixture(params=["inline", "forked", "threaded"])
def way(request, monkeypatch):
    """The three ways in which batches are worked on."""
    monkeypatch.setattr(workers, "_has_threads", lambda: request.param == "threaded")
    return request.param


@pytest.fixture
def forked(monkeypatch):
    monkeypatch.setattr(workers, "_has_threads", lambda: False)


def jobs_of(way: str) -> int:
    return 1 if way == "inline" else 3


def children() -> list[int]:
    """Processes that are ours, zombies included."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as stream:
                    fields = stream.read().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == os.getpid():
                found.append(int(name))
    return found


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    fds, kids = open_fds(), children()
    yield kids
    assert open_fds() == fds
    assert children() == kids


def doubling():
    return lambda batch: [item * 2 for item in batch]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_every_batch_once(way, count):
    batches = [[number, number + 1] for number in range(count)]
    found = list(map_batches(doubling, batches, jobs=jobs_of(way)))
    assert sorted(found) == [[2 * n, 2 * n + 2] for n in range(count)]


def test_one_batch_is_worked_on_here(way):
    (pid,) = map_batches(lambda: lambda _batch: os.getpid(), [[1]], jobs=jobs_of(way))
    assert pid == os.getpid()


def test_several_processes_work(forked):
    def slow(_batch):
        time.sleep(0.02)
        return os.getpid()

    pids = set(map_batches(lambda: slow, [[n] for n in range(9)], jobs=3))
    assert len(pids) == 3
    assert os.getpid() not in pids


@pytest.mark.parametrize("way", ["forked", "threaded"], indirect=True)
def test_somebody_is_told_while_workers_work(way, monkeypatch):
    monkeypatch.setattr(worker_threads, "PATIENCE_S", 0.01)
    told = []

    def make():
        return lambda seconds: time.sleep(seconds) or seconds

    results = map_batches(make, [0.1, 0.1], jobs=2, on_wait=lambda: told.append(os.getpid()))
    assert list(results) == [0.1, 0.1]
    assert len(told) > 3
    assert set(told) == {os.getpid()}


def test_a_worker_is_made_once_where_it_works(forked):
    def make():
        made = os.getpid()
        return lambda _batch: (made, os.getpid())

    for made, used in map_batches(make, [[n] for n in range(12)], jobs=2):
        assert made == used


def test_somebody_is_told_of_waiting(way, monkeypatch):
    monkeypatch.setattr(worker_threads, "PATIENCE_S", 0.01)
    told = []

    def slow(batch):
        time.sleep(0.1)
        return batch

    found = map_batches(lambda: slow, [[1], [2]], jobs=jobs_of(way), on_wait=lambda: told.append(1))
    assert sorted(found) == [[1], [2]]
    assert bool(told) == (jobs_of(way) > 1)


def test_payloads_larger_than_pipes_both_ways(way):
    batches = [[bytes([n]) * 3_000_000] for n in range(8)]
    found = list(map_batches(doubling, batches, jobs=jobs_of(way)))
    assert sorted(found) == [[bytes([n]) * 6_000_000] for n in range(8)]


def test_batches_are_taken_lazily(way):
    taken = []

    def batches():
        for number in range(1000):
            taken.append(number)
            yield [number]

    running = map_batches(doubling, batches(), jobs=jobs_of(way))
    next(running)
    assert len(taken) <= 2 + jobs_of(way) * workers.IN_FLIGHT + 1
    running.close()


def test_a_pause_is_no_batch(way):
    batches = [PAUSE, [1], PAUSE, PAUSE, [2], PAUSE, [3], PAUSE]
    found = list(map_batches(doubling, batches, jobs=jobs_of(way)))
    assert sorted(found) == [[2], [4], [6]]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("way", ["forked", "threaded"], indirect=True)
def test_an_error_is_seen_although_no_batch_comes(way):
    def batches():
        yield from ([0], [1])
        while True:
            time.sleep(0.01)
            yield PAUSE

    with pytest.raises(ZeroDivisionError):
        list(map_batches(lambda: lambda batch: 1 // batch[0], batches(), jobs=2))


NAME = ObjectName(SUM, ObjectType.DIR_TREE)


@pytest.mark.parametrize(
    ("error", "facts"),
    [
        (ValueError("odd"), {}),
        (FileNotFoundError(2, "No such file", "/a/path"), {"errno": 2, "filename": "/a/path"}),
        (PermissionError(13, "Permission denied", "x"), {"filename": "x"}),
        (PathNotFound("/no"), {"path": "/no"}),
        (ObjectNotFound(NAME), {"name": NAME}),
        (ObjectInvalid(NAME, "why"), {"name": NAME, "reason": "why"}),
        (ChecksumMismatch(NAME, SUM), {"name": NAME, "actual": SUM}),
        (UnsupportedFile("/dev"), {"path": "/dev"}),
        (ChangedWhileRead("/f"), {"path": "/f"}),
        (UnmatchedPaths("list", ("/a",)), {"paths": ("/a",)}),
        (OstryaError("words", hint="advice"), {"message": "words", "hint": "advice"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_keeps_its_type_and_facts(way, error, facts):
    def fail(_batch):
        raise error

    with pytest.raises(type(error)) as caught:
        list(map_batches(lambda: fail, [[1], [2], [3]], jobs=jobs_of(way)))
    assert type(caught.value) is type(error)
    assert str(caught.value) == str(error)
    for key, value in facts.items():
        assert getattr(caught.value, key) == value


def test_a_hint_added_on_the_way_is_kept(forked):
    def fail(_batch):
        error = ObjectNotFound(NAME)
        error.hint = "it is the content of /a"
        raise error

    with pytest.raises(ObjectNotFound) as caught:
        list(map_batches(lambda: fail, [[1], [2]], jobs=2))
    assert caught.value.hint == "it is the content of /a"


def test_an_error_that_cannot_be_pickled_keeps_its_words(forked):
    class Local(Exception):
        pass

    def fail(_batch):
        raise Local("words")

    with pytest.raises(OstryaError, match="Local: words"):
        list(map_batches(lambda: fail, [[1], [2]], jobs=2))


def test_an_error_while_a_worker_is_made(way):
    def make():
        raise OSError(24, "Too many open files")

    with pytest.raises(OSError, match="Too many open files"):
        list(map_batches(make, [[1], [2]], jobs=jobs_of(way)))


def test_an_error_of_the_batches_themselves(way):
    def batches():
        yield [1]
        yield [2]
        raise OstryaError("cannot go on")

    with pytest.raises(OstryaError, match="cannot go on"):
        list(map_batches(doubling, batches(), jobs=jobs_of(way)))


def test_results_that_are_no_plain_values(forked):
    with pytest.raises(ValueError, match="unmarshallable"):
        list(map_batches(lambda: lambda _batch: object(), [[1], [2]], jobs=2))


def test_a_worker_told_to_stop_inside_a_callback_that_drops_errors(forked):
    def die(_batch):
        thing = threading.Event()
        _watch = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGTERM))
        del thing
        time.sleep(3)

    with pytest.raises(WorkerDied, match=f"signal {int(signal.SIGTERM)}"):
        list(map_batches(lambda: die, [[1], [2]], jobs=2))


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_worker(forked, sent):
    def die(_batch):
        os.kill(os.getpid(), sent)
        time.sleep(10)

    with pytest.raises(WorkerDied, match=f"signal {int(sent)}") as caught:
        list(map_batches(lambda: die, [[1], [2], [3]], jobs=2))
    assert caught.value.status == -sent


@pytest.fixture(params=["ignored", "reaped by a handler"])
def sigchld(request):
    """A process that does not keep the status of its children."""

    def reap(*_args):
        with suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)

    handler = signal.SIG_IGN if request.param == "ignored" else reap
    before = signal.signal(signal.SIGCHLD, handler)
    yield handler
    assert signal.getsignal(signal.SIGCHLD) == handler
    signal.signal(signal.SIGCHLD, before)


@pytest.mark.timeout(30)
class TestWithoutChildStatus:
    def test_all_is_done(self, forked, sigchld):
        found = list(map_batches(doubling, [[n] for n in range(20)], jobs=3))
        assert sorted(found) == [[2 * n] for n in range(20)]

    def test_a_worker_that_dies_is_noticed(self, forked, sigchld):
        with pytest.raises(WorkerDied) as caught:
            list(map_batches(lambda: lambda _b: os.kill(os.getpid(), 9), [[1], [2]], jobs=2))
        if sigchld == signal.SIG_IGN:
            assert caught.value.status == -signal.SIGKILL

    def test_closing_early_kills_the_workers(self, forked, sigchld, nothing_is_left_behind):
        running = map_batches(lambda: lambda b: time.sleep(b[0]) or b, [[0], [60], [60]], jobs=3)
        next(running)
        running.close()
        assert children() == nothing_is_left_behind


def test_without_standard_streams(forked, monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    assert len(list(map_batches(doubling, [[1], [2]], jobs=2))) == 2


def test_a_worker_that_leaves(forked):
    with pytest.raises(WorkerDied, match="status 7"):
        list(map_batches(lambda: lambda _batch: os._exit(7), [[1], [2]], jobs=2))


def test_a_worker_killed_while_it_is_sent_a_large_batch(forked):
    def die(_batch):
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(WorkerDied):
        list(map_batches(lambda: die, [[bytes(5_000_000)] for _ in range(6)], jobs=2))


@pytest.mark.timeout(30)
def test_closing_early_kills_the_workers(forked, nothing_is_left_behind):
    def slow(batch):
        if batch[0]:
            time.sleep(60)
        return batch

    running = map_batches(lambda: slow, [[n] for n in range(10)], jobs=3)
    next(running)
    assert len(children()) >= 3
    running.close()
    assert children() == nothing_is_left_behind


@pytest.mark.timeout(30)
def test_the_first_error_does_not_wait_for_the_others(forked):
    def work(batch):
        if batch[0]:
            time.sleep(60)
        raise OstryaError("first")

    with pytest.raises(OstryaError, match="first"):
        list(map_batches(lambda: work, [[n] for n in range(6)], jobs=3))


def test_ctrl_c_is_the_callers_affair(forked):
    """A worker that gets the signal with its group goes on; who called it decides."""

    def interrupted(batch):
        os.kill(os.getpid(), signal.SIGINT)
        return batch

    found = list(map_batches(lambda: interrupted, [[1], [2], [3]], jobs=2))
    assert sorted(found) == [[1], [2], [3]]


def test_an_exception_in_the_loop_over_results(forked, nothing_is_left_behind):
    def consume():
        for _ in map_batches(doubling, [[n] for n in range(20)], jobs=2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consume()
    assert children() == nothing_is_left_behind


def test_threads_are_chosen_where_forking_is_unsafe():
    assert not workers._has_threads() or threading.active_count() > 1
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert workers._has_threads()
        pids = set(map_batches(lambda: lambda _b: os.getpid(), [[n] for n in range(6)], jobs=2))
        assert pids == {os.getpid()}
    finally:
        stop.set()
        thread.join()


def test_default_jobs_is_what_we_may_use():
    assert workers.default_jobs() == len(os.sched_getaffinity(0))
