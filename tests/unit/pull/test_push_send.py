# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

import pytest

from ostrya.formats.object_name import ObjectType
from ostrya.progress import Advanced, Finished, Started
from ostrya.pull.push_send import count_missing, send_objects
from ostrya.pull.push_walk import find_shipment
from ostrya.repo.detached import write_detached_bytes
from support.small_repos import commit_files, names_of


class Sink:
    """A store that notes what it is asked and given."""

    def __init__(self, *there) -> None:
        self.there = set(there)
        self.put_names = []
        self.asked = []
        self.detached = {}
        self.lock = threading.Lock()

    def present(self, names):
        with self.lock:
            self.asked.append(names)
        return [name for name in names if name in self.there]

    def put(self, name, packed):
        with self.lock:
            self.put_names.append(name)
            assert sum(map(len, packed.chunks())) == packed.size
        return packed.size

    def read_detached(self, checksum):
        return self.detached.get(checksum)


@pytest.fixture
def shipment(repo, tmp_path):
    first = commit_files(repo, tmp_path, {f"dir{n}/file{n}": str(n) for n in range(9)})
    second = commit_files(repo, tmp_path, {"x": "y"}, parent=first, timestamp=2)
    write_detached_bytes(repo, second, b"\0signatures")
    return find_shipment(repo, [second], lambda _checksum: False, depth=-1)


@pytest.mark.parametrize("jobs", [1, 8])
def test_children_go_before_parents(repo, shipment, jobs):
    sink = Sink()
    sent = send_objects(sink, repo, shipment, jobs)
    kinds = [name.type for name in sink.put_names]
    order = [
        ObjectType.FILE, ObjectType.DIR_TREE, ObjectType.COMMIT_META, ObjectType.COMMIT,
    ]  # fmt: skip
    ranks = [order.index(ObjectType.DIR_TREE if k == ObjectType.DIR_META else k) for k in kinds]
    assert ranks == sorted(ranks)
    assert [n.checksum for n in sink.put_names if n.type == ObjectType.COMMIT] == list(
        shipment.commits
    )
    # Detached metadata is no object of the walk.
    assert set(sink.put_names) >= names_of(repo) - names_of(repo, ObjectType.COMMIT_META)
    assert (sent.content, sent.metadata, sent.detached) == (10, 14, 1)
    assert sent.bytes > 1000


def test_questions_are_asked_in_groups(repo, shipment):
    sink = Sink()
    send_objects(sink, repo, shipment)
    for names in sink.asked:
        assert len({name.checksum[:2] for name in names}) == 1
    assert sum(map(len, sink.asked)) == shipment.total - 2


def test_what_is_there_is_not_sent(repo, shipment):
    sink = Sink(*shipment.content, *shipment.metadata)
    sink.detached = {shipment.commits[1]: b"\0signatures"}
    sent = send_objects(sink, repo, shipment)
    assert (sent.content, sent.metadata, sent.detached) == (0, 2, 0)
    sink.put_names.clear()
    known = shipment._replace(commits=(), known=shipment.commits)
    sink.detached = {shipment.commits[1]: b"\0other"}
    assert send_objects(sink, repo, known).detached == 1


def test_only_counted(repo, shipment):
    sink = Sink()
    assert count_missing(sink, shipment)[:2] == (14, 10)
    assert not sink.put_names


def test_progress(repo, shipment):
    events, steps = [], []

    class Sink2:
        def send(self, event):
            events.append(event)

    sent = send_objects(Sink(), repo, shipment, 2, Sink2(), on_step=lambda: steps.append(1))
    assert events[0] == Started("pushing", shipment.total, "items")
    assert events[-1] == Finished("pushing", shipment.total, sent.bytes)
    done = [event.done for event in events if isinstance(event, Advanced)]
    assert done == sorted(done)
    assert steps


def test_the_first_error_ends_it(repo, shipment):
    class Full(Sink):
        def put(self, name, packed):
            if name.type == ObjectType.DIR_TREE:
                raise OSError("full")
            return super().put(name, packed)

    sink = Full()
    with pytest.raises(OSError, match="full"):
        send_objects(sink, repo, shipment, 2)
    assert not [name for name in sink.put_names if name.type == ObjectType.COMMIT]
