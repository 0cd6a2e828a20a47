# SPDX-License-Identifier: Apache-2.0
"""A digest that is computed beside what else is done with the bytes."""

from __future__ import annotations

from hashlib import sha256
from queue import SimpleQueue
from threading import BoundedSemaphore, Thread

# A quarter of a megabyte each: as much as whoever writes is ahead.
_MOST_AHEAD = 16
# Less is digested where it is: a thread costs more.
_WORTH_BYTES = 1 << 20


class DigestThread:
    """The SHA-256 of a stream."""

    def __init__(self) -> None:
        self._digest = sha256()
        self._queue: SimpleQueue[bytes | memoryview | None] = SimpleQueue()
        self._room = BoundedSemaphore(_MOST_AHEAD)
        self._thread: Thread | None = None
        self._size_bytes = 0

    def update(self, data: bytes | memoryview) -> None:
        """Take some bytes, which nobody changes any more."""
        self._size_bytes += len(data)
        if self._thread is None and self._size_bytes < _WORTH_BYTES:
            self._digest.update(data)
            return
        if self._thread is None:
            self._thread = Thread(target=self._run, name="digest", daemon=True)
            self._thread.start()
        self._room.acquire()
        self._queue.put(data)

    def hexdigest(self) -> str:
        """Return the digest of all that was taken; more may follow."""
        self.end()
        return self._digest.hexdigest()

    def end(self) -> None:
        """Wait until all is digested."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
            # What follows is the rest of something large.
            self._size_bytes = _WORTH_BYTES

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            self._digest.update(data)
            self._room.release()
