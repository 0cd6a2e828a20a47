# SPDX-License-Identifier: Apache-2.0
"""Sending a shipment to a store of single objects, many at a time.

What is there already is asked first, for all objects whose checksums begin with the same two
digits at a time. Then come files, dirtrees and dirmetas, the dictionaries beside commits, and
commits, parents first. Each kind waits until the one before it is all there: whoever sees a commit
sees everything that it holds.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ostrya.formats.object_name import ObjectName, ObjectNameSet, ObjectType
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, ProgressSink, Started, Unit
from ostrya.pull.parallel import DEFAULT_JOBS, each
from ostrya.pull.push_target import Sent
from ostrya.repo.detached import read_detached_bytes
from ostrya.repo.packing import Packed, Packer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ostrya.formats.checksum import Checksum
    from ostrya.pull.push_target import ObjectSink
    from ostrya.pull.push_walk import Shipment
    from ostrya.repo.repository import Repository


def send_objects(
    sink: ObjectSink,
    source: Repository,
    shipment: Shipment,
    jobs: int = DEFAULT_JOBS,
    progress: ProgressSink = NULL_PROGRESS,
    *,
    on_step: Callable[[], None] = lambda: None,
) -> Sent:
    """Send what a store lacks.

    Args:
        sink: The store.
        source: Where objects are.
        shipment: What it may lack.
        jobs: How many requests at a time.
        progress: Told about objects.
        on_step: Called now and then, on the calling thread.

    Raises:
        FetchError: The store does not take something.
        IntegrityError: An object is damaged here.
        ObjectNotFound: It is missing here.
    """
    sender = _Sender(sink, source, shipment, jobs, progress, on_step)
    return sender.run()


def count_missing(sink: ObjectSink, shipment: Shipment, jobs: int = DEFAULT_JOBS) -> Sent:
    """Count what a store lacks, without sending any of it."""
    content = len(_missing(sink, shipment.content, jobs))
    metadata = len(_missing(sink, shipment.metadata, jobs))
    return Sent(metadata + len(shipment.commits), content)


class _Sender:
    def __init__(
        self,
        sink: ObjectSink,
        source: Repository,
        shipment: Shipment,
        jobs: int,
        progress: ProgressSink,
        on_step: Callable[[], None],
    ) -> None:
        self._sink = sink
        self._source = source
        self._shipment = shipment
        self._jobs = max(jobs, 1)
        self._progress = progress
        self._on_step = on_step
        self._local = threading.local()
        self._done = 0
        self._bytes = 0

    def run(self) -> Sent:
        shipment, progress = self._shipment, self._progress
        progress.send(Started("pushing", shipment.total, Unit.ITEMS))
        content = self._send_missing(shipment.content)
        metadata = self._send_missing(shipment.metadata)
        detached = self._send_detached((*shipment.commits, *shipment.known))
        for checksum in shipment.commits:
            # One after the other: a child that is there before its parent looks cut off.
            self._bytes += self._put(ObjectName(checksum, ObjectType.COMMIT))
            self._step(1)
        progress.send(Finished("pushing", self._done, self._bytes))
        return Sent(metadata + len(shipment.commits), content, detached, self._bytes)

    def _send_missing(self, names: ObjectNameSet) -> int:
        missing = _missing(self._sink, names, self._jobs, self._on_step)
        self._step(len(names) - len(missing))
        for sent in each(self._put, missing, self._jobs):
            self._bytes += sent
            self._step(1)
        return len(missing)

    def _put(self, name: ObjectName) -> int:
        packer: Packer | None = getattr(self._local, "packer", None)
        if packer is None:
            packer = Packer(self._source, as_zlib=self._shipment.with_sizes)
            self._local.packer = packer
        with packer.pack(name) as packed:
            return self._sink.put(name, packed)

    def _send_detached(self, commits: Sequence[Checksum]) -> int:
        sent = list(each(self._put_detached, commits, self._jobs))
        self._bytes += sum(sent)
        return sum(map(bool, sent))

    def _put_detached(self, checksum: Checksum) -> int:
        data = read_detached_bytes(self._source, checksum)
        if data is None or data == self._sink.read_detached(checksum):
            return 0
        return self._sink.put(ObjectName(checksum, ObjectType.COMMIT_META), Packed(data))

    def _step(self, count: int) -> None:
        self._done += count
        self._progress.send(Advanced("pushing", self._done, bytes_done=self._bytes))
        self._on_step()


def _missing(
    sink: ObjectSink,
    names: ObjectNameSet,
    jobs: int,
    on_step: Callable[[], None] = lambda: None,
) -> ObjectNameSet:
    """Return those that the store does not have."""
    missing = ObjectNameSet()

    def ask(batch: list[ObjectName]) -> list[ObjectName]:
        there = set(sink.present(batch))
        return [name for name in batch if name not in there]

    for absent in each(ask, _by_prefix(names), jobs):
        for name in absent:
            missing.add(name)
        on_step()
    return missing


def _by_prefix(names: ObjectNameSet) -> Iterator[list[ObjectName]]:
    groups: dict[str, ObjectNameSet] = {}
    for name in names:
        groups.setdefault(name.checksum[:2], ObjectNameSet()).add(name)
    for prefix in sorted(groups):
        yield list(groups.pop(prefix))
