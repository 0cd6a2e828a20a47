# SPDX-License-Identifier: Apache-2.0
"""Bytes of a disk in a qcow2 image."""

from __future__ import annotations

import struct
import zlib
from collections import OrderedDict
from typing import TYPE_CHECKING

from ostrya.image import qcow2
from ostrya.image.errors import DiskError
from ostrya.image.reading.sources import check_range, unpack_zstd

if TYPE_CHECKING:
    from ostrya.image.reading.sources import Source

_KEPT_TABLES = 16
_SECTOR = 512


class Qcow2Source:
    """A qcow2 image, read as the disk that it is."""

    def __init__(self, source: Source) -> None:
        """Look at an image.

        Raises:
            DiskError: It is none, is damaged, or needs another file or a key.
        """
        self._source = source
        size = min(source.size_bytes, qcow2.HEADER_BYTES)
        self._header = header = qcow2.decode_header(source.read(0, size))
        self._cluster = 1 << header.cluster_bits
        table = source.read(header.table_at, header.table_entries * 8)
        self._first = struct.unpack(f">{header.table_entries}Q", table)
        self._tables: OrderedDict[int, tuple[int, ...]] = OrderedDict()
        self._last_packed: tuple[int, bytes] = (-1, b"")

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""
        return self._header.size_bytes

    def read(self, offset: int, size: int) -> bytes:
        """Return just so many bytes.

        Raises:
            DiskError: They are not there, or their tables are damaged.
        """
        check_range(offset, size, self._header.size_bytes)
        parts = []
        while size > 0:
            number, within = divmod(offset, self._cluster)
            count = min(size, self._cluster - within)
            parts.append(self._read_cluster(number, within, count))
            offset, size = offset + count, size - count
        return b"".join(parts)

    def _read_cluster(self, number: int, within: int, count: int) -> bytes:
        at, place = divmod(number, self._cluster // 8)
        table_at = self._first[at] & qcow2.OFFSET_MASK
        entry = self._table(table_at)[place] if table_at else 0
        if entry & qcow2.COMPRESSED:
            return self._unpack(entry)[within : within + count]
        start = entry & qcow2.OFFSET_MASK
        if not start or entry & qcow2.ZERO:
            return bytes(count)
        left = self._source.size_bytes - start - within
        if 0 <= left < count:
            # QEMU leaves the last cluster as short as it happens to be.
            return self._source.read(start + within, left).ljust(count, b"\0")
        return self._source.read(start + within, count)

    def _table(self, at: int) -> tuple[int, ...]:
        table = self._tables.get(at)
        if table is None:
            data = self._source.read(at, self._cluster)
            table = self._tables[at] = struct.unpack(f">{self._cluster // 8}Q", data)
            if len(self._tables) > _KEPT_TABLES:
                self._tables.popitem(last=False)
        return table

    def _unpack(self, entry: int) -> bytes:
        if self._last_packed[0] == entry:
            return self._last_packed[1]
        bits = 62 - (self._header.cluster_bits - 8)
        start = entry & ((1 << bits) - 1)
        sectors = ((entry & (qcow2.COMPRESSED - 1)) >> bits) + 1
        size = min(sectors * _SECTOR - start % _SECTOR, self._source.size_bytes - start)
        packed = self._source.read(start, size)
        try:
            if self._header.is_zstd:
                data = unpack_zstd(packed, self._cluster)
            else:
                data = zlib.decompressobj(-12).decompress(packed, self._cluster)
        except (zlib.error, ValueError, OSError) as exc:
            raise DiskError(f"a compressed cluster at {start} is damaged: {exc}") from exc
        if len(data) != self._cluster:
            raise DiskError(f"a compressed cluster at {start} is damaged")
        self._last_packed = (entry, data)
        return data
