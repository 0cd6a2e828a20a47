# SPDX-License-Identifier: Apache-2.0
"""Which places of a btrfs hold what. Pure.

Logical and physical places are the same. The superblocks lie within chunks, and are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.outputs.btrfs.items import DATA, METADATA, NODE, SECTOR, STRIPE, SYSTEM
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_MIB = 1 << 20
SUPERBLOCKS = (64 << 10, 64 * _MIB, 256 << 30)
_SYSTEM_AT, _SYSTEM_BYTES = _MIB, 4 * _MIB
DATA_AT = _SYSTEM_AT + _SYSTEM_BYTES
_LARGEST = 1 << 30
# Beside what is in use, so that the kernel can write before it makes chunks of its own.
_ROOM_FACTOR, _LEAST_METADATA = 1.25, 8 * _MIB
_LARGEST_EXTENT = 128 * _MIB


class Chunk(NamedTuple):
    """A piece of the device.

    Attributes:
        start: Where it begins.
        size: How large it is.
        kind: `DATA`, `METADATA` or `SYSTEM`.
    """

    start: int
    size: int
    kind: int


SYSTEM_CHUNK = Chunk(_SYSTEM_AT, _SYSTEM_BYTES, SYSTEM)


class Allocator:
    """Gives places one after the other, around superblocks and within chunks."""

    def __init__(self, start: int, chunk_bytes: int = 0) -> None:
        """Begin at a place.

        Args:
            start: Where chunks begin.
            chunk_bytes: How large each is, where there are several; 0 for one without end.
        """
        self._start = self._at = start
        self._chunk_bytes = chunk_bytes

    @property
    def end(self) -> int:
        """Where the last place ends."""
        return self._at

    def take(self, size: int) -> Iterator[tuple[int, int]]:
        """Yield places for so many bytes, a multiple of sectors: where, and how many."""
        while size > 0:
            room = self._room()
            taken = min(size, room, _LARGEST_EXTENT)
            yield self._at, taken
            self._at, size = self._at + taken, size - taken

    def take_block(self) -> int:
        """Return a place for a block of a tree."""
        while self._room() < NODE:
            self._at += SECTOR
        place = self._at
        self._at += NODE
        return place

    def _room(self) -> int:
        """Return how much there is up to the next superblock or the end of the chunk."""
        for superblock in SUPERBLOCKS:
            if superblock <= self._at < superblock + STRIPE:
                self._at = superblock + STRIPE
        limits = [place - self._at for place in SUPERBLOCKS if place > self._at]
        if self._chunk_bytes:
            limits.append(self._chunk_bytes - (self._at - self._start) % self._chunk_bytes)
        return min(limits, default=1 << 62)


def data_allocator() -> Allocator:
    """Return what gives places for content."""
    return Allocator(DATA_AT, _LARGEST)


def data_chunks(end: int) -> list[Chunk]:
    """Return the chunks that content needs.

    Args:
        end: Where it ends.
    """
    found = []
    at, stop = DATA_AT, _up(end, STRIPE)
    while at < stop:
        size = min(_LARGEST, stop - at)
        found.append(Chunk(at, size, DATA))
        at += size
    return found


def metadata_chunk(start: int, end: int) -> Chunk:
    """Return the chunk that trees need, with room for what is written later.

    Args:
        start: Where it begins.
        end: Where they end.
    """
    size = max(_LEAST_METADATA, int((end - start) * _ROOM_FACTOR))
    return Chunk(start, _up(size, STRIPE), METADATA)


def _up(value: int, unit: int) -> int:
    return -(-value // unit) * unit
