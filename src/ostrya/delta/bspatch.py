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
    at = 0
    pending = bytearray()
    written = 0
    while written < new_size:
        control = PatchControl.decode(reader.take(CONTROL_BYTES))
        written += control.add_size + control.extra_size
        if written > new_size:
            raise DeltaFormatError("bsdiff patch failed: it makes more than the file holds")
        for piece in _added(old, at, reader.pieces(control.add_size)):
            pending += piece
            if len(pending) >= CHUNK_BYTES:
                yield bytes(pending)
                pending.clear()
        for piece in reader.pieces(control.extra_size):
            pending += piece
            if len(pending) >= CHUNK_BYTES:
                yield bytes(pending)
                pending.clear()
        at += control.add_size + control.seek
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


def _added(old: ByteSource, at: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield add_bytes(_read_padded(old, at, len(piece)), piece)
        at += len(piece)


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
        if len(self._buffer) - self._at < size:
            self._fill()
        found = self._buffer[self._at : self._at + size]
        self._at += len(found)
        return found

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield the next bytes, at most 32 KiB at a time.

        Raises:
            DeltaFormatError: The range ends before.
        """
        while size:
            piece = self.take(min(size, _ADD_BYTES))
            if not piece:
                raise DeltaFormatError("bsdiff patch failed: it is cut short")
            size -= len(piece)
            yield piece

    def _fill(self) -> None:
        rest = self._buffer[self._at :]
        piece = self._source.read(self._position, min(CHUNK_BYTES, self._left))
        self._position += len(piece)
        self._left -= len(piece)
        self._buffer = rest + piece
        self._at = 0
