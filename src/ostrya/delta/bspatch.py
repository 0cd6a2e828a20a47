# SPDX-License-Identifier: Apache-2.0
"""Patching: an old file and a patch to the new file, in pieces of bounded size.

The layout of a patch stands in ``formats.delta_operations``. The old file is read by its place,
forwards and backwards; the patch is read once, from its start to its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.delta.byte_source import CHUNK_BYTES
from ostrya.formats.delta_operations import CONTROL_BYTES, PatchControl
from ostrya.formats.errors import DeltaFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.delta.byte_source import ByteSource

# Added at a time: numbers of this length stay in the processor's cache.
_ADD_BYTES = 32 * 1024
_LOW_BITS = int.from_bytes(b"\x7f" * _ADD_BYTES, "little")
_HIGH_BITS = int.from_bytes(b"\x80" * _ADD_BYTES, "little")


def patched_chunks(
    old: ByteSource, patch: ByteSource, offset: int, size: int, new_size: int
) -> Iterator[bytes]:
    """Yield the new file.

    Args:
        old: The old file; outside it, there are zeros.
        patch: Holds the patch,
        offset: from this place on,
        size: this long.
        new_size: Of the new file.

    Raises:
        DeltaFormatError: The patch makes more or less than that, or is cut short.
    """
    reader = _PatchReader(patch, offset, size)
    window = _Window(old)
    at = 0
    pending = bytearray()
    written = 0
    while written < new_size:
        add_size, extra_size, seek = PatchControl.decode(reader.take(CONTROL_BYTES))
        written += add_size + extra_size
        if written > new_size:
            raise DeltaFormatError("bsdiff patch failed: it makes more than the file holds")
        for start in range(0, add_size, _ADD_BYTES):
            piece = reader.take_all(min(add_size - start, _ADD_BYTES))
            pending += add_bytes(window.read(at + start, len(piece)), piece)
            if len(pending) >= CHUNK_BYTES:
                yield bytes(pending)
                pending.clear()
        for start in range(0, extra_size, _ADD_BYTES):
            pending += reader.take_all(min(extra_size - start, _ADD_BYTES))
            if len(pending) >= CHUNK_BYTES:
                yield bytes(pending)
                pending.clear()
        at += add_size + seek
    if pending:
        yield bytes(pending)


def add_bytes(one: bytes, other: bytes) -> bytes:
    """Add two equally long rows of bytes, each byte for itself, modulo 256; 32 KiB at the most."""
    length = len(one)
    if other.count(0) == length:
        return one
    low, high = _LOW_BITS, _HIGH_BITS
    if length < _ADD_BYTES:
        unused = 8 * (_ADD_BYTES - length)
        low, high = low >> unused, high >> unused
    first, second = int.from_bytes(one, "little"), int.from_bytes(other, "little")
    # The highest bit of each byte is added without its carry.
    total = ((first & low) + (second & low)) ^ ((first ^ second) & high)
    return total.to_bytes(length, "little")


class _Window:
    """The old file, of which a stretch around the place that is read lies in memory."""

    __slots__ = ("_data", "_old", "_size", "_start")

    def __init__(self, old: ByteSource) -> None:
        self._old = old
        self._size = old.size
        self._start = 0
        self._data = b""

    def read(self, at: int, size: int) -> bytes:
        """Return a range; zeros where it lies before the file or behind it."""
        place = at - self._start
        found = self._data[place : place + size] if place >= 0 else b""
        if len(found) == size:
            return found
        if at < 0 or at + size > self._size:
            return _read_padded(self._old, at, size)
        # Most steps go on a little further; some go back a little.
        self._start = max(min(at - CHUNK_BYTES // 4, self._size - CHUNK_BYTES), 0)
        self._data = self._old.read(self._start, max(CHUNK_BYTES, at + size - self._start))
        found = self._data[at - self._start : at - self._start + size]
        return found if len(found) == size else _read_padded(self._old, at, size)


def _read_padded(old: ByteSource, at: int, size: int) -> bytes:
    """Read a range of the old file; zeros where that lies before its start or behind its end."""
    if at >= 0 and at + size <= old.size:
        found = old.read(at, size)
        if len(found) == size:
            return found
    before = min(max(-at, 0), size)
    start = at + before
    wanted = min(max(old.size - start, 0), size - before)
    found = b"\0" * before
    while wanted > 0:
        piece = old.read(start, wanted)
        if not piece:
            break
        found += piece
        start += len(piece)
        wanted -= len(piece)
    return found.ljust(size, b"\0")


class _PatchReader:
    """Reads a range from its start to its end."""

    __slots__ = ("_at", "_buffer", "_left", "_position", "_source")

    def __init__(self, source: ByteSource, offset: int, size: int) -> None:
        self._source = source
        self._position = offset
        self._left = size
        self._buffer = b""
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes; fewer at the end."""
        at = self._at
        found = self._buffer[at : at + size]
        while len(found) < size and self._left:
            self._fill()
            at = 0
            found = self._buffer[:size]
        self._at = at + len(found)
        return found

    def take_all(self, size: int) -> bytes:
        """Return the next bytes, 32 KiB at the most.

        Raises:
            DeltaFormatError: The range ends before.
        """
        found = self.take(size)
        if len(found) != size:
            raise DeltaFormatError("bsdiff patch failed: it is cut short")
        return found

    def _fill(self) -> None:
        rest = self._buffer[self._at :]
        piece = self._source.read(self._position, min(CHUNK_BYTES, self._left))
        self._position += len(piece)
        # A source that is shorter than it says ends here.
        self._left = self._left - len(piece) if piece else 0
        self._buffer = rest + piece
        self._at = 0
