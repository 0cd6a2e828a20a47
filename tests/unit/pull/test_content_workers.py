# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import time
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from ostrya.errors import FetchError, WorkerDied
from ostrya.formats.object_name import ObjectType
from ostrya.progress import Advanced
from ostrya.pull.commits import CommitRules, CommitWriter
from ostrya.pull.content_workers import ContentWorkers, SharedCounts
from ostrya.pull.engine import Engine
from ostrya.pull.errors import ObjectNotServed
from ostrya.pull.places import RemotePlaces
from ostrya.pull.planner import Planner
from ostrya.repo.errors import ChecksumMismatch
from ostrya.repo.fsck import fsck
from ostrya.repo.partial import clear_partial, is_partial
from ostrya.repo.transaction import Transaction
from support.remote_repos import BASE, FolderFetcher
from support.small_repos import commit_files, make_repo, names_of, open_fds

PLACES = RemotePlaces((BASE,), (BASE,))
FILES = 40


class Trusting:
    def check(self, checksum, data, detached):
        pass


class Events:
    def __init__(self):
        self.seen = []

    def send(self, event):
        self.seen.append(event)


@pytest.fixture
def source(tmp_path):
    with make_repo(tmp_path / "source") as repo:
        yield repo


@pytest.fixture
def commit(source, tmp_path):
    files = {f"dir{n % 7}/{n}": f"content {n}" * n for n in range(FILES)}
    return commit_files(source, tmp_path, files)


@pytest.fixture
def target(tmp_path):
    with make_repo(tmp_path / "target") as repo:
        yield repo


def files_of(repo):
    return sorted(str(name.checksum) for name in names_of(repo, ObjectType.FILE))


def work(tx, source, lie=None):
    """A worker in this process; its fetcher."""
    fetcher = FolderFetcher(source.path)
    fetcher.lie = lie or fetcher.lie
    return ContentWorkers(tx, lambda _sharing: fetcher, PLACES, jobs=2).make(), fetcher


def test_a_worker_stores_what_it_fetches(source, commit, target):
    names = files_of(source)
    with Transaction(target) as tx:
        worker, fetcher = work(tx, source)
        count, counts = worker(names[:3])
        assert count == 3
        assert worker(names[3:])[0] == len(names) - 3
        assert counts[2:4] == (3, 3)
        assert fetcher.in_flight == 0
        tx.commit()
    assert files_of(target) == names


@pytest.mark.parametrize(
    ("lie", "error"),
    [
        (lambda _path, _data: None, ObjectNotServed),
        (lambda _path, data: data[:-3] + b"xyz", Exception),
        (lambda path, _data: FetchError(f"no {path}"), FetchError),
    ],
)
def test_what_is_refused(source, commit, target, lie, error):
    with Transaction(target) as tx:
        worker, _ = work(tx, source, lie)
        with pytest.raises(error):
            worker(files_of(source))
    assert files_of(target) == []


def run(source, commit, target, jobs=2, lie=None):
    """A whole pull by worker processes; what was told, and the engine."""
    parent = os.getpid()

    def open_fetcher(sharing):
        # A worker that is alone has the link alone.
        assert sharing == (1 if os.getpid() == parent else jobs)
        fetcher = FolderFetcher(source.path)
        fetcher.lie = lie or fetcher.lie
        return fetcher

    events, planner = Events(), Planner()
    planner.want_commit(commit)
    rules = CommitRules({}, None, verify_bindings=True, newer_than={})
    with Transaction(target) as tx:
        engine = Engine(
            tx=tx, planner=planner, fetcher=FolderFetcher(source.path),
            open_content=lambda: ContentWorkers(tx, open_fetcher, PLACES, jobs=jobs), places=PLACES,
            commits=CommitWriter(tx, Trusting(), rules), progress=events,
        )  # fmt: skip
        engine.run()
        stats = tx.commit()
    return engine, events.seen, stats


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr("ostrya.pull.engine._BATCH_FILES", 4)
    monkeypatch.setattr("ostrya.pull.engine._SMALL_BATCH", 2)


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_a_pull_by_processes(source, commit, target, small_batches, jobs):
    engine, events, stats = run(source, commit, target, jobs)
    assert names_of(target) == names_of(source)
    assert engine.walked == [commit]
    clear_partial(target, commit)
    assert fsck(target).partial == 0
    assert engine.content_fetched == stats.content_written == FILES
    served = sum(
        path.stat().st_size
        for kind in ("filez", "dirtree", "dirmeta", "commit")
        for path in _paths(source, kind)
    )
    assert engine.bytes_received == served
    steps = [event for event in events if isinstance(event, Advanced)]
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[-1].done == steps[-1].total == engine.metadata_fetched + FILES


def _paths(repo, kind):
    return Path(repo.path).glob(f"objects/??/*.{kind}")


def test_the_error_of_a_process(source, commit, target, small_batches):
    doomed = files_of(source)[-1]

    def lie(path, data):
        return data if doomed[2:] not in path else _other_content(data)

    with pytest.raises(ChecksumMismatch, match=f"While fetching {BASE}.*{doomed}") as caught:
        run(source, commit, target, 2, lie)
    assert caught.value.exit_code == 11
    assert doomed not in files_of(target)
    assert is_partial(target, commit)


def _other_content(data):
    """A good archive file, but another one: a stored block in place of the deflated content."""
    header_size = 8 + int.from_bytes(data[:4], "big")
    content = zlib.decompress(data[header_size:], -15)
    packer = zlib.compressobj(wbits=-15)
    return data[:header_size] + packer.compress(content[::-1]) + packer.flush()


def test_a_worker_whose_pull_was_killed_stops(source, commit, target, monkeypatch):
    with Transaction(target) as tx:
        workers = ContentWorkers(tx, lambda _sharing: FolderFetcher(source.path), PLACES, jobs=2)
        # As in a child of a process that is gone.
        workers._pid = os.getpid() + 1
        with pytest.raises(WorkerDied):
            workers.make()(files_of(source))


def test_counts_of_several(monkeypatch):
    counts = SharedCounts()
    places = [counts.claim() for _ in range(3)]
    assert len(set(places)) == 3
    for number, place in enumerate(places):
        counts.tell(place, number, 100)
        counts.tell(place, number + 1, 1000)
    assert counts.total() == (6, 3000)


class Tracked(FolderFetcher):
    """Says whether it was closed; hangs for ever once ``hangs`` says so of what was asked."""

    def __init__(self, top, hangs):
        super().__init__(top)
        self.spools = True
        self.closed = False
        self.hangs = hangs

    def wait(self, timeout_s):
        if not self.hangs(self.asked):
            return super().wait(timeout_s)
        time.sleep(timeout_s)
        return []

    def close(self):
        self.closed = True
        super().close()


def bodies():
    return [name for name in open_fds() if "memfd" in name]


def never(_asked):
    return False


@pytest.fixture
def by_threads(source, commit, target, small_batches, monkeypatch):
    """A pull in a process that has threads of its own; the fetchers that it made."""
    monkeypatch.setattr("ostrya.workers._has_threads", lambda: True)

    def pull(fetchers, hangs=never, lie=None, metadata_hangs=never):
        def open_fetcher(sharing):
            assert sharing == 2
            fetchers.append(Tracked(source.path, hangs))
            fetchers[-1].lie = lie or fetchers[-1].lie
            return fetchers[-1]

        planner = Planner()
        planner.want_commit(commit)
        rules = CommitRules({}, None, verify_bindings=True, newer_than={})
        metadata = Tracked(source.path, metadata_hangs)
        with (
            Transaction(target) as tx,
            closing(ContentWorkers(tx, open_fetcher, PLACES, jobs=2)) as workers,
        ):
            Engine(
                tx=tx, planner=planner, fetcher=metadata, open_content=lambda: workers, places=PLACES,
                commits=CommitWriter(tx, Trusting(), rules), progress=Events(),
            ).run()  # fmt: skip
            tx.commit()

    return pull


def test_threads_close_what_they_fetch_with(by_threads, source, target):
    before, fetchers = bodies(), []
    by_threads(fetchers)
    assert names_of(target) == names_of(source)
    assert 1 <= len(fetchers) <= 2
    assert all(fetcher.closed for fetcher in fetchers)
    assert bodies() == before


@pytest.mark.timeout(30)
def test_an_error_of_a_thread_ends_all_at_once(by_threads, source):
    doomed, slow = files_of(source)[::20]
    before, fetchers = bodies(), []

    def lie(path, data):
        return data if doomed[2:] not in path else FetchError("no such luck")

    with pytest.raises(FetchError, match="no such luck"):
        by_threads(fetchers, hangs=lambda asked: slow[2:] in "".join(asked), lie=lie)
    assert len(fetchers) == 2
    assert all(fetcher.closed for fetcher in fetchers)
    assert bodies() == before


@pytest.mark.timeout(30)
@pytest.mark.parametrize("kind", ["processes", "threads"])
def test_an_error_is_seen_while_metadata_is_waited_for(by_threads, source, monkeypatch, kind):
    monkeypatch.setattr("ostrya.workers._has_threads", lambda: kind == "threads")
    fetchers = []

    def hangs(asked):
        return sum(path.endswith(".dirtree") for path in asked) > 5

    with pytest.raises(FetchError, match="no such luck"):
        by_threads(
            fetchers, lie=lambda _path, _data: FetchError("no such luck"), metadata_hangs=hangs
        )
    assert all(fetcher.closed for fetcher in fetchers)
