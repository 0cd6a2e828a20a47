# SPDX-License-Identifier: Apache-2.0
"""Files fetched and stored by worker processes, each with connections of its own.

To fetch, inflate, hash and write a small file is a hundred small steps, which hold Python's global
lock: threads would wait for each other at every one of them. ::

    planner ──> batches of checksums ──> worker: asks, verifies, writes ──> how many

What a worker has come to so far stands in memory that all share, for a batch over a slow link may
take minutes.
"""

from __future__ import annotations

import mmap
import os
import signal
import struct
from threading import Event, get_ident, get_native_id
from typing import TYPE_CHECKING

from ostrya.errors import FetchError, WorkerDied
from ostrya.fetch.fetcher import Request, each_completion
from ostrya.formats.checksum import Checksum
from ostrya.formats.file_header import longest_archive_file
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.pull.content import ContentStore
from ostrya.pull.errors import ObjectNotServed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya.fetch.fetcher import Fetcher, Response
    from ostrya.pull.places import Places
    from ostrya.repo.transaction import Transaction

# An object larger than that is no file of an operating system.
MAX_CONTENT_BYTES = 1 << 40
# Whose it is; files that came; bytes that came.
_SLOT = struct.Struct("<QQQ")
_SLOTS = 256
# How long a worker may not notice that nobody waits for it.
_PATIENCE_S = 0.2

BatchResult = tuple[int, tuple[int, ...]]


class SharedCounts:
    """What each of several processes has come to so far; only ever told to people.

    Two that begin in the same instant could take the same place, and be told of as one; that they
    look for one where their own number says makes it unlikely.
    """

    __slots__ = ("_memory",)

    def __init__(self) -> None:
        """Make the memory; processes that are forked later share it."""
        self._memory = mmap.mmap(-1, _SLOT.size * _SLOTS)

    def claim(self) -> int:
        """Return a free place to count in."""
        own = get_native_id()
        for number in range(own, own + _SLOTS):
            at = number % _SLOTS * _SLOT.size
            if _SLOT.unpack_from(self._memory, at)[0] == 0:
                _SLOT.pack_into(self._memory, at, own, 0, 0)
                return at
        return 0

    def tell(self, place: int, files: int, received: int) -> None:
        """Say what one has come to so far."""
        _SLOT.pack_into(self._memory, place, get_native_id(), files, received)

    def total(self) -> tuple[int, int]:
        """Return how many files and bytes came."""
        found = [
            _SLOT.unpack_from(self._memory, at) for at in range(0, _SLOT.size * _SLOTS, _SLOT.size)
        ]
        return sum(slot[1] for slot in found), sum(slot[2] for slot in found)


class ContentWorkers:
    """Makes workers that fetch files and store them in a transaction.

    Attributes:
        counts: What they have come to so far.
        jobs: How many there are at most.
    """

    def __init__(
        self,
        tx: Transaction,
        open_fetcher: Callable[[int], Fetcher],
        places: Places,
        *,
        jobs: int,
        check_user_only_modes: bool = False,
        trusted: bool = False,
    ) -> None:
        """Prepare.

        Args:
            tx: Where files are written.
            open_fetcher: Makes a fetcher for one of so many workers.
            places: Where files are.
            jobs: How many workers there are at most.
            check_user_only_modes: Refuse files that mode bare-user-only cannot hold.
            trusted: Store what an archive gets as it came, unseen.
        """
        self._tx = tx
        self._open_fetcher = open_fetcher
        self._places = places
        self._check_modes = check_user_only_modes
        self._trusted = trusted
        self._pid = os.getpid()
        self._thread = get_ident()
        self._fetchers: list[Fetcher] = []
        self._stopped = Event()
        self.jobs = jobs
        self.counts = SharedCounts()

    def make(self) -> Callable[[list[str]], BatchResult]:
        """Make a worker, in the process that it works in."""
        is_forked = os.getpid() != self._pid
        # Where all was prepared, there is no other worker.
        is_alone = not is_forked and get_ident() == self._thread
        fetcher = self._open_fetcher(1 if is_alone else self.jobs)
        self._fetchers.append(fetcher)
        return _Worker(
            self._tx,
            fetcher,
            self._places,
            self.counts,
            parent=self._pid if is_forked else 0,
            stopped=self._stopped,
            check_modes=self._check_modes,
            trusted=self._trusted,
        ).work

    def stop(self) -> None:
        """Let workers in threads end without finishing their batches."""
        self._stopped.set()

    def close(self) -> None:
        """Close the fetchers that were made in this process, where nobody works any more."""
        while self._fetchers:
            self._fetchers.pop().close()


class _Worker:
    def __init__(  # noqa: PLR0913  # its parts
        self,
        tx: Transaction,
        fetcher: Fetcher,
        places: Places,
        counts: SharedCounts,
        *,
        parent: int,
        stopped: Event,
        check_modes: bool,
        trusted: bool,
    ) -> None:
        self._fetcher = fetcher
        self._places = places
        self._counts = counts
        self._writer = tx.new_writer()
        self._store = ContentStore(tx, self._writer, check_modes=check_modes, trusted=trusted)
        self._place = counts.claim()
        self._parent = parent
        self._stopped = stopped
        self._files = 0

    def work(self, batch: list[str]) -> BatchResult:
        """Fetch and store files, to the last one, unless all workers are to stop."""
        fetcher = self._fetcher
        todo = iter(batch)
        while self._ask(todo):
            if self._parent and os.getppid() != self._parent:
                # It was killed, and whoever pulls next asks for the rest.
                raise WorkerDied(-signal.SIGKILL)
            if self._stopped.is_set():
                break
            for key, answer in each_completion(fetcher.wait(_PATIENCE_S)):
                self._take(Checksum(str(key)), answer)
            self._counts.tell(self._place, self._files, fetcher.stats.bytes_received)
        return len(batch), self._writer.counts.take()

    def _ask(self, todo: Iterator[str]) -> bool:
        """Keep the network busy; say whether anything is on its way."""
        while self._fetcher.room > 0 and (text := next(todo, None)) is not None:
            checksum = Checksum(text)
            self._fetcher.submit(checksum, content_request(self._places, checksum))
        return self._fetcher.in_flight > 0

    def _take(self, checksum: Checksum, answer: Response | FetchError) -> None:
        if isinstance(answer, FetchError):
            raise answer
        if answer.is_absent:
            raise ObjectNotServed(ObjectName(checksum, ObjectType.FILE), answer)
        self._store.store(checksum, answer)
        self._files += 1


def content_request(places: Places, checksum: Checksum) -> Request:
    """Return the request for a file."""
    path = f"objects/{loose_path(ObjectName(checksum, ObjectType.FILE), archive=True)}"
    return Request(places.content_urls(path), MAX_CONTENT_BYTES, longest=longest_archive_file)
