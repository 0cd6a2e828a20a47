# SPDX-License-Identifier: Apache-2.0
"""What arrived of files, on the way into the repository: inflated, hashed and written by threads.

The thread that talks to the network hands over one body after the other and goes on. At most
``_WAITING`` bodies per thread are under way, so memory stays bounded; the first error wins.
"""

from __future__ import annotations

import os
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import read_chunks
from ostrya.errors import FormatError, IntegrityError
from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.content_hash import ContentHasher
from ostrya.repo.errors import ObjectInvalid
from ostrya.repo.modes import RepoMode
from ostrya.repo.packed import verify_content, write_packed
from ostrya.repo.stores.archive import open_archive_body
from ostrya.repo.stores.bare import check_user_only_mode
from ostrya.repo.stores.base import WHOLE_BYTES
from ostrya.workers import default_jobs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from ostrya.fetch.fetcher import Response
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.stores.base import FileObject
    from ostrya.repo.transaction import Transaction
    from ostrya.repo.writer import ObjectWriter

_WAITING = 16
_Job = tuple["Checksum", "Response"]


class ContentSink:
    """Threads that store files.

    Attributes:
        stored: How many are in the repository by now.
    """

    def __init__(
        self,
        tx: Transaction,
        *,
        jobs: int | None = None,
        check_user_only_modes: bool = False,
        trusted: bool = False,
    ) -> None:
        """Start the threads.

        Args:
            tx: Where objects are written.
            jobs: How many threads; one per processor if None.
            check_user_only_modes: Refuse files that mode bare-user-only cannot hold.
            trusted: Store what an archive gets as it came, unseen.
        """
        jobs = default_jobs() if jobs is None else max(jobs, 1)
        self._tx = tx
        self._todo: SimpleQueue[_Job | None] = SimpleQueue()
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        self._limit = jobs * _WAITING
        self._under_way = 0
        self._failed = False
        self.stored = 0
        self._writers = [tx.new_writer() for _ in range(jobs)]
        self._threads = []
        for writer in self._writers:
            store = _Store(tx, writer, check_modes=check_user_only_modes, trusted=trusted)
            thread = Thread(target=self._work, args=(store,), daemon=True)
            thread.start()
            self._threads.append(thread)

    @property
    def under_way(self) -> int:
        """How many bodies were handed over and not yet stored."""
        return self._under_way

    @property
    def is_full(self) -> bool:
        """Whether the next body should wait."""
        return self._under_way >= self._limit

    def put(self, checksum: Checksum, response: Response) -> None:
        """Hand over the body of a content object; its file is closed here."""
        self._under_way += 1
        self._todo.put((checksum, response))

    def collect(self, *, wait: bool = False) -> None:
        """Take note of what is stored.

        Args:
            wait: Wait until something is, unless nothing is under way.

        Raises:
            ChecksumMismatch: A body is not that of its object.
            ObjectInvalid: A body is damaged.
            OSError: It could not be written.
        """
        while self._under_way and (wait or not self._done.empty()):
            error = self._done.get()
            self._under_way -= 1
            wait = False
            if error is not None:
                raise error
            self.stored += 1

    def close(self) -> None:
        """End the threads; what was handed over and not begun is dropped."""
        self._failed = True
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join()
        for writer in self._writers:
            self._tx.counts.add(writer.counts.take())
        self._writers.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _work(self, store: _Store) -> None:
        while (job := self._todo.get()) is not None:
            checksum, response = job
            error: BaseException | None = None
            try:
                if not self._failed:
                    store.store(checksum, response)
            except (FormatError, IntegrityError) as exc:
                exc.put_first(f"While fetching {response.url}")
                error = exc
            except BaseException as exc:  # noqa: BLE001  # raised again by the collecting thread
                error = exc
            finally:
                response.close()
            self._done.put(error)


class _Store:
    """What one thread does with a body."""

    __slots__ = ("_check_modes", "_hasher", "_keeps_packed", "_mode", "_trusted", "_writer")

    def __init__(
        self, tx: Transaction, writer: ObjectWriter, *, check_modes: bool, trusted: bool
    ) -> None:
        self._writer = writer
        self._hasher = ContentHasher()
        self._mode = tx.repo.mode
        self._keeps_packed = self._mode == RepoMode.ARCHIVE
        self._check_modes = check_modes
        self._trusted = trusted and self._keeps_packed and not check_modes

    def store(self, checksum: Checksum, response: Response) -> None:
        if self._trusted:
            write_packed(self._writer, checksum, _pieces(response))
            return
        try:
            with open_archive_body(checksum, response.body, _own(response)) as loaded:
                self._store_opened(checksum, loaded, response)
        except ObjectFormatError as exc:
            raise ObjectInvalid(ObjectName(checksum, ObjectType.FILE), exc.message) from exc

    def _store_opened(self, checksum: Checksum, loaded: FileObject, response: Response) -> None:
        header = loaded.header
        if not header.is_symlink and (self._check_modes or self._mode == RepoMode.BARE_USER_ONLY):
            check_user_only_mode(header.mode, checksum)
        if self._keeps_packed:
            verify_content(self._hasher, checksum, loaded)
            # As it came: compressed again, it would be another file than the remote's.
            write_packed(self._writer, checksum, _pieces(response), loaded.size)
        elif header.is_symlink:
            self._writer.write_symlink(header, checksum)
        elif loaded.size <= WHOLE_BYTES:
            self._writer.write_data(header, loaded.read(), checksum, known_absent=True)
        else:
            self._writer.write_stream(header, loaded.size, loaded.chunks(), checksum)


def _own(response: Response) -> int:
    """Return a descriptor of a body's file that may be closed; -1 where it is in memory."""
    return -1 if response.spool_fd == -1 else os.dup(response.spool_fd)


def _pieces(response: Response) -> Iterable[bytes]:
    return [response.body] if response.spool_fd == -1 else read_chunks(response.spool_fd)
