# SPDX-License-Identifier: Apache-2.0
"""Where the bytes of an answer go: memory at first, a file without a name once they are many."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import open_spool, write_all
from ostrya.fetch.fetcher import MEMORY_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HELD_BYTES = 32 * 1024 * 1024
"""What all unfinished bodies of a fetcher may hold in memory together."""
_PIECE = 256 * 1024


class Memory:
    """What the unfinished bodies of a fetcher hold in memory, and where there is more room.

    Attributes:
        held: Bytes in memory now.
        limit: How many there may be; bodies go to files from there on.
        dir_fd: The directory that files without names are made in; the caller's.
        require_room: Called with a number of bytes before they go there; raises if there is no
            room for them.
    """

    __slots__ = ("dir_fd", "held", "limit", "require_room")

    def __init__(
        self,
        dir_fd: int,
        limit: int = HELD_BYTES,
        *,
        require_room: Callable[[int], None] | None = None,
    ) -> None:
        self.dir_fd = dir_fd
        self.held = 0
        self.limit = limit
        self.require_room = require_room


class Body:
    """The bytes of one answer so far.

    Attributes:
        size: How many there are.
    """

    __slots__ = ("_fd", "_memory", "_parts", "_spool", "size")

    def __init__(self, memory: Memory, *, spool: bool = False) -> None:
        self._memory = memory
        self._spool = spool
        self._parts: list[bytes] = []
        self._fd = -1
        self.size = 0

    def take(self, chunks: list[bytes]) -> None:
        """Append chunks.

        Raises:
            OstryaError: There is no room for them.
            OSError: The disk does not take them.
        """
        grown = sum(map(len, chunks))
        self.size += grown
        if self._fd < 0:
            self._parts += chunks
            self._memory.held += grown
            too_much = self.size > MEMORY_BODY_BYTES or self._memory.held > self._memory.limit
            if too_much or self._spool:
                self._spill()
            return
        self._write(chunks)

    def _spill(self) -> None:
        self._fd = open_spool(self._memory.dir_fd)
        self._write(self._take_parts())

    def _write(self, parts: list[bytes]) -> None:
        if self._memory.require_room is not None:
            self._memory.require_room(sum(map(len, parts)))
        for part in parts:
            write_all(self._fd, part)

    def head(self, count: int) -> bytes:
        """Return the first bytes, fewer if there are no more."""
        if self._fd >= 0:
            return os.pread(self._fd, count, 0)
        first = self._parts[0] if self._parts else b""
        return first[:count] if len(first) >= count else b"".join(self._parts)[:count]

    def _take_parts(self) -> list[bytes]:
        parts, self._parts = self._parts, []
        self._memory.held -= sum(map(len, parts))
        return parts

    def hand_over(self) -> tuple[bytes, int]:
        """Give the bytes away: in memory and -1, or nothing and a file at its beginning."""
        if self._fd < 0 and self._spool:
            self._spill()
        if self._fd < 0:
            parts = self._take_parts()
            return (parts[0] if len(parts) == 1 else b"".join(parts)), -1
        fd, self._fd = self._fd, -1
        os.lseek(fd, 0, os.SEEK_SET)
        return b"", fd

    def drop(self) -> None:
        """Forget all bytes; the body is empty and can take others."""
        self._take_parts()
        self.size = 0
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes from the beginning, in pieces."""
        yield from self._parts
        if self._fd >= 0:
            offset = 0
            while piece := os.pread(self._fd, _PIECE, offset):
                offset += len(piece)
                yield piece
