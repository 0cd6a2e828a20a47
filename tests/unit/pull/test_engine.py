# SPDX-License-Identifier: Apache-2.0
"""Most of the engine is seen through ``test_remote_pull``; here is what it does when."""

from __future__ import annotations

import pytest

from ostrya.errors import FormatError
from ostrya.formats.object_name import ObjectType
from ostrya.progress import Advanced, Finished, Started
from ostrya.pull import engine as module
from ostrya.pull.commits import CommitRules, CommitWriter
from ostrya.pull.content import ContentSink
from ostrya.pull.engine import Engine
from ostrya.pull.places import RemotePlaces
from ostrya.pull.planner import Planner
from ostrya.repo.transaction import Transaction
from support.remote_repos import BASE, FolderFetcher
from support.small_repos import commit_tree, make_repo, names_of, plain_tree


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
    return commit_tree(source, plain_tree(tmp_path / "tree"))


def run(tmp_path, fetcher, commit, places=None):
    events = Events()
    planner = Planner()
    planner.want_commit(commit)
    rules = CommitRules({}, None, verify_bindings=True, newer_than={})
    with make_repo(tmp_path / "target") as repo:
        with Transaction(repo) as tx:
            with ContentSink(tx, jobs=2) as sink:
                engine = Engine(
                    tx=tx, planner=planner, fetcher=fetcher, open_content=lambda: sink,
                    places=places or RemotePlaces((BASE,), (BASE,)),
                    commits=CommitWriter(tx, Trusting(), rules), progress=events,
                )  # fmt: skip
                engine.run()
            tx.commit()
        return engine, events.seen, names_of(repo)


def test_counts_and_progress(tmp_path, source, commit):
    fetcher = FolderFetcher(source.path)
    engine, events, names = run(tmp_path, fetcher, commit)
    assert names == names_of(source)
    files = len(names_of(source, ObjectType.FILE))
    # The detached metadata that was asked for counts, as for libostree.
    assert engine.metadata_fetched == len(names) - files + 1
    assert (engine.content_fetched, engine.walked) == (files, [commit])
    assert isinstance(events[0], Started)
    received = fetcher.stats.bytes_received
    assert events[-1] == Finished(module.TASK, len(names) + 1, received)
    steps = [event for event in events if isinstance(event, Advanced)]
    assert all(event.done <= event.total for event in steps)
    assert [event.done for event in steps] == sorted(event.done for event in steps)


def test_a_long_file_is_told_of_while_it_comes(tmp_path, source, commit):
    class Slow(FolderFetcher):
        pauses = 3

        def wait(self, timeout_s):
            assert timeout_s is not None
            if not self.pauses:
                return super().wait(timeout_s)
            self.pauses -= 1
            # Of the last two, nothing has come.
            self.stats.bytes_received = 1000
            return []

    _, events, _ = run(tmp_path, Slow(source.path), commit)
    steps = [event for event in events if isinstance(event, Advanced) and event.done == 0]
    assert [step.bytes_done for step in steps] == [1000]


def test_signatures_come_from_the_remote_itself(tmp_path, source, commit):
    fetcher = FolderFetcher(source.path)
    asked = []

    class Split(RemotePlaces):
        def metadata_urls(self, path):
            asked.append(path)
            return super().metadata_urls(path)

    run(tmp_path, fetcher, commit, Split((BASE,), (BASE,)))
    assert [path.rpartition(".")[2] for path in asked] == ["commitmeta"]


def test_metadata_is_asked_for_before_files(tmp_path, source, commit):
    fetcher = FolderFetcher(source.path)
    fetcher.room_at_once = 1
    run(tmp_path, fetcher, commit)
    kinds = [path.endswith(".filez") for path in fetcher.asked]
    assert kinds == sorted(kinds)


def test_what_hashes_well_and_is_no_directory(tmp_path, source, commit, monkeypatch):
    def refuse(_data):
        raise FormatError("not today")

    monkeypatch.setitem(module._DECODERS, ObjectType.DIR_TREE, refuse)
    with pytest.raises(FormatError, match=r"[0-9a-f]{64}\.dirtree: not today"):
        run(tmp_path, FolderFetcher(source.path), commit)
