# SPDX-License-Identifier: Apache-2.0
"""Files that are written in one go: sparse, with a digest, and with a name when all are whole."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, Self

from ostrya._linux.atomic import temporary_name, write_all
from ostrya.image.outputs.digest_thread import DigestThread
from ostrya.image.room import room_for

if TYPE_CHECKING:
    from collections.abc import Iterator

ZEROS = bytes(1 << 20)
_CHUNK_BYTES = 256 << 10
# What is zero in a run of data is looked at in such pieces.
_GRAIN_BYTES = 64 << 10
_MAKE_ROOM = "make room in its folder, or have it written to another"


class Sink(Protocol):
    """Takes an output, piece by piece."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Take some bytes."""

    def skip(self, count: int, /) -> None:
        """Take so many zeros."""


class NewFile:
    """A file under construction; it appears when it is told to, and is gone if it is not.

    Attributes:
        path: What it is called in the end.
        size_bytes: How much was written, holes with it.
    """

    def __init__(self, path: str) -> None:
        """Begin a file.

        Raises:
            OSError: Its folder cannot be written to.
        """
        self.path = path
        self.size_bytes = 0
        folder = os.path.dirname(os.path.abspath(path))
        self._unfinished = os.path.join(folder, temporary_name())
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
        # Not 0o644: whoever builds may want others to read it, or not.
        self._fd = os.open(self._unfinished, flags, 0o666)
        self._digest = DigestThread()

    @property
    def sha256(self) -> str:
        """The checksum of what was written so far."""
        return self._digest.hexdigest()

    def write(self, data: bytes | memoryview, /) -> None:
        """Write some bytes.

        Raises:
            OutputError: There is no room.
            OSError: They cannot be written.
        """
        # Whoever lends a buffer may write to it again.
        self._digest.update(data if memoryview(data).readonly else bytes(data))
        with room_for(self.path, _MAKE_ROOM):
            write_all(self._fd, data)
        self.size_bytes += len(data)

    def skip(self, count: int, /) -> None:
        """Leave a hole."""
        os.lseek(self._fd, count, os.SEEK_CUR)
        self.size_bytes += count
        for piece in zeros(count):
            self._digest.update(piece)

    def finish(self) -> None:
        """Write no more.

        Raises:
            OutputError: There is no room.
            OSError: It cannot be written.
        """
        with room_for(self.path, _MAKE_ROOM):
            os.ftruncate(self._fd, self.size_bytes)
        os.close(self._fd)
        self._fd = -1

    def appear(self) -> None:
        """Give it its name, in place of whatever had it."""
        os.rename(self._unfinished, self.path)
        self._unfinished = ""

    def close(self) -> None:
        """End; without a name, it is gone."""
        self._digest.end()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._unfinished:
            with suppress(OSError):
                os.unlink(self._unfinished)
            self._unfinished = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def zeros(count: int) -> Iterator[memoryview]:
    """Yield so many zeros, in pieces."""
    view = memoryview(ZEROS)
    while count > 0:
        yield view[: min(count, len(ZEROS))]
        count -= len(ZEROS)


def is_zero(data: bytes | bytearray | memoryview) -> bool:
    """Say whether there is nothing but zeros in a piece of up to a megabyte."""
    return data == memoryview(ZEROS)[: len(data)]


def copy_into(path: str, sink: Sink, *, offset: int = 0, size: int | None = None) -> None:
    """Copy a file, or a part of it, holes as holes.

    Raises:
        OSError: It cannot be read.
    """
    for data, count in read_sparsely(path, offset=offset, size=size):
        if data is None:
            sink.skip(count)
        else:
            sink.write(data)


def read_sparsely(
    path: str, *, offset: int = 0, size: int | None = None
) -> Iterator[tuple[memoryview | None, int]]:
    """Yield what is in a file piece by piece: bytes and how many, or None where all is zero.

    Raises:
        OSError: It cannot be read.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        end = os.fstat(fd).st_size if size is None else offset + size
        at = offset
        while at < end:
            start, stop = _next_data(fd, at, end)
            if start > at:
                yield None, start - at
            at = start
            while at < stop:
                data = memoryview(os.pread(fd, min(_CHUNK_BYTES, stop - at), at))
                if not data:
                    raise OSError(f"{path} became shorter while it was read")
                yield from _grains(data)
                at += len(data)
    finally:
        os.close(fd)


def _next_data(fd: int, at: int, end: int) -> tuple[int, int]:
    """Return where data begin at or behind a place, and where they end."""
    try:
        start = min(end, os.lseek(fd, at, os.SEEK_DATA))
    except OSError:
        # Nothing but a hole up to the end.
        return end, end
    if start == end:
        return end, end
    return start, min(end, os.lseek(fd, start, os.SEEK_HOLE))


def _grains(data: memoryview) -> Iterator[tuple[memoryview | None, int]]:
    """Yield runs of pieces that have something in them, and of others."""
    begin, empty = 0, None
    for at in range(0, len(data), _GRAIN_BYTES):
        is_empty = is_zero(data[at : at + _GRAIN_BYTES])
        if empty is not None and is_empty != empty:
            yield (None if empty else data[begin:at]), at - begin
            begin = at
        empty = is_empty
    yield (None if empty else data[begin:]), len(data) - begin
