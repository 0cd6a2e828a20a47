# SPDX-License-Identifier: Apache-2.0
"""Read a FAT file system as firmware does: what can be read is, what cannot is not there.

Source: Microsoft's FAT specification, 1.03.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_FREE, _GONE, _LONG, _DIRECTORY, _VOLUME = 0x00, 0xE5, 0x0F, 0x10, 0x08
_MOST_CLUSTERS = 1 << 20


class Found(NamedTuple):
    """A name in a directory."""

    is_dir: bool
    cluster: int
    size: int


class Fat:
    """A file system, all of it in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        sector, per_cluster, reserved, fats, roots = struct.unpack_from("<HBHBH", data, 11)
        sectors = struct.unpack_from("<H", data, 19)[0] or struct.unpack_from("<I", data, 32)[0]
        short = struct.unpack_from("<H", data, 22)[0]
        fat_sectors = short or struct.unpack_from("<I", data, 36)[0]
        self._fat_at = reserved * sector
        self._root_at = (reserved + fats * fat_sectors) * sector
        self._root_bytes = roots * 32
        self._data_at = self._root_at + -(-self._root_bytes // sector) * sector
        self._cluster_bytes = per_cluster * sector
        self._clusters = (sectors * sector - self._data_at) // self._cluster_bytes
        self._bits = 32 if not short else 12 if self._clusters < 4085 else 16
        self._root_cluster = struct.unpack_from("<I", data, 44)[0] if not short else 0

    def read_all(self) -> dict[str, bytes]:
        """Every file that can be read, by its path in lower case."""
        found: dict[str, bytes] = {}
        self._read(self._root(), "", found)
        return found

    def _read(self, table: bytes, folder: str, found: dict[str, bytes], depth: int = 0) -> None:
        for name, one in self._names(table).items():
            path = f"{folder}{name.lower()}"
            content = self._content(one)
            if content is None:
                continue
            if not one.is_dir:
                found[path] = content
            elif depth < 8:
                self._read(content, f"{path}/", found, depth + 1)

    def _root(self) -> bytes:
        if self._bits == 32:
            return self._chain(self._root_cluster)
        return self._data[self._root_at : self._root_at + self._root_bytes]

    def _content(self, one: Found) -> bytes | None:
        if one.is_dir:
            return self._chain(one.cluster)
        if one.size == 0:
            return b""
        content = self._chain(one.cluster, one.size)
        return None if len(content) < one.size else content[: one.size]

    def _chain(self, cluster: int, wanted: int = 1 << 40) -> bytes:
        """What is in a chain of clusters, as far as that is asked for and can be followed."""
        parts = []
        end = {12: 0xFF8, 16: 0xFFF8, 32: 0x0FFFFFF8}[self._bits]
        while cluster < end and len(parts) * self._cluster_bytes < wanted:
            if not 2 <= cluster < self._clusters + 2 or len(parts) > _MOST_CLUSTERS:
                break
            at = self._data_at + (cluster - 2) * self._cluster_bytes
            parts.append(self._data[at : at + self._cluster_bytes])
            cluster = self._next(cluster)
        return b"".join(parts)

    def _next(self, cluster: int) -> int:
        at = self._fat_at + cluster * self._bits // 8
        if self._bits == 32:
            return int.from_bytes(self._data[at : at + 4], "little") & 0x0FFFFFFF
        both = int.from_bytes(self._data[at : at + 2], "little")
        if self._bits == 16:
            return both
        return both >> 4 if cluster & 1 else both & 0xFFF

    def _names(self, table: bytes) -> dict[str, Found]:
        found: dict[str, Found] = {}
        long: dict[int, str] = {}
        check = -1
        for at in range(0, len(table) - 31, 32):
            entry = table[at : at + 32]
            if entry[0] == _FREE:
                break
            if entry[0] == _GONE:
                long = {}
                continue
            if entry[11] == _LONG:
                if entry[13] != check:
                    long, check = {}, entry[13]
                text = (entry[1:11] + entry[14:26] + entry[28:32]).decode("utf-16-le", "replace")
                long[entry[0] & 0x3F] = text.partition("\0")[0].rstrip("\uffff")
                continue
            name = self._name(entry, long, check)
            long, check = {}, -1
            if entry[11] & _VOLUME or name in (".", ".."):
                continue
            high, low, size = (
                *struct.unpack_from("<H", entry, 20),
                *struct.unpack_from("<HI", entry, 26),
            )
            cluster = low | (high << 16 if self._bits == 32 else 0)
            found[name] = Found(bool(entry[11] & _DIRECTORY), cluster, size)
        return found

    @staticmethod
    def _name(entry: bytes, long: dict[int, str], check: int) -> str:
        total = 0
        for byte in entry[:11]:
            total = (((total & 1) << 7) + (total >> 1) + byte) & 0xFF
        if long and total == check and sorted(long) == list(range(1, len(long) + 1)):
            return "".join(long[at] for at in sorted(long))
        stem, suffix = (part.decode("cp437").rstrip() for part in (entry[:8], entry[8:11]))
        return f"{stem}.{suffix}" if suffix else stem
