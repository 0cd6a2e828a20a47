# SPDX-License-Identifier: Apache-2.0
"""Bytes that are read by their place: of an open file, or of memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 256 * 1024


class ByteSource(Protocol):
    """Bytes that are read by their place.

    Attributes:
        size: How many there are.
    """

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def read(self, offset: int, size: int) -> bytes:
        """Return the bytes from a place on; fewer at the end, none behind it."""


class MemorySource:
    """Bytes in memory, or of a mapped file; a range is copied when it is read."""

    __slots__ = ("_view", "size")

    def __init__(self, data: bytes | memoryview) -> None:
        self._view = memoryview(data)
        self.size = len(self._view)

    def read(self, offset: int, size: int) -> bytes:
        """Return the bytes from a place on; fewer at the end, none behind it."""
        return bytes(self._view[offset : offset + size])


class FileSource:
    """A range of an open file, which the caller closes."""

    __slots__ = ("_fd", "_start", "size")

    def __init__(self, fd: int, start: int, size: int) -> None:
        self._fd = fd
        self._start = start
        self.size = size

    def read(self, offset: int, size: int) -> bytes:
        """Return the bytes from a place on; fewer at the end, none behind it."""
        wanted = min(size, self.size - offset)
        if wanted <= 0:
            return b""
        return os.pread(self._fd, wanted, self._start + offset)


def read_range(source: ByteSource, offset: int, size: int) -> Iterator[bytes]:
    """Yield a range in pieces of bounded size.

    Raises:
        EOFError: The source is shorter.
    """
    end = offset + size
    while offset < end:
        piece = source.read(offset, min(CHUNK_BYTES, end - offset))
        if not piece:
            raise EOFError
        offset += len(piece)
        yield piece
