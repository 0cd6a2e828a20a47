# SPDX-License-Identifier: Apache-2.0
"""Which bytes of an image matter when it is flashed to a disk that has something else on it.

Not those that happen to be there in a sparse file: a file of zeros has to become zeros on the disk
too. What matters is what file systems say is in use, what is outside of all partitions (tables,
boot loaders), and partitions whose content nobody here knows, as a whole.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from ostrya.image.bmap import BlockRange, Bmap, block_ranges
from ostrya.image.reading.ext4 import Ext4
from ostrya.image.reading.fat import Fat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostrya.image.reading.disk import Volume
    from ostrya.image.reading.sources import Source

_CHUNK_BYTES = 1 << 20


def used_extents(source: Source, volumes: Sequence[Volume]) -> Iterator[tuple[int, int]]:
    """Yield where bytes are that matter, and how many.

    Raises:
        DiskError: A file system is damaged.
    """
    taken = []
    for volume in volumes:
        one = volume.partition
        if one.type_name == "extended":
            # Its logical partitions speak for themselves; what is between them is outside.
            continue
        taken.append((one.offset, one.offset + volume.source.size_bytes))
        for at, size in _used_of(volume):
            yield one.offset + at, size
    at = 0
    for start, stop in sorted(taken):
        if start > at:
            yield at, start - at
        at = max(at, stop)
    if at < source.size_bytes:
        yield at, source.size_bytes - at


def _used_of(volume: Volume) -> Iterator[tuple[int, int]]:
    whole = volume.source.size_bytes
    if isinstance(volume.files, Ext4):
        block = volume.files.layout.block_bytes
        for first, count in volume.files.layout.used_blocks():
            yield first * block, count * block
        inside = volume.files.size_bytes
    elif isinstance(volume.files, Fat):
        yield from volume.files.used_ranges()
        inside = volume.files.size_bytes
    else:
        inside = 0
    if inside < whole:
        yield inside, whole - inside


def make_bmap(source: Source, volumes: Sequence[Volume]) -> Bmap:
    """Say which blocks of an image matter, with their checksums.

    Raises:
        DiskError: A file system is damaged.
        OSError: It cannot be read.
    """
    ranges = block_ranges(list(used_extents(source, volumes)), source.size_bytes)
    bmap = Bmap(source.size_bytes, tuple(ranges))
    found = []
    for one in ranges:
        start, size = bmap.extent(one)
        digest = sha256()
        for at in range(start, start + size, _CHUNK_BYTES):
            digest.update(source.read(at, min(_CHUNK_BYTES, start + size - at)))
        found.append(BlockRange(one.first, one.blocks, digest.hexdigest()))
    return bmap._replace(ranges=tuple(found))
