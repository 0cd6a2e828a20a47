# SPDX-License-Identifier: Apache-2.0
"""A FAT that is changed in place: files and directories are added, and replaced.

Content is written first, then both tables, and the directory last: what stops on the way leaves
clusters that nobody has, and no damaged file.
"""

from __future__ import annotations

import os
import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ostrya.image.errors import DiskError, LayoutError
from ostrya.image.fat_names import Names, encode_name
from ostrya.image.reading.fat import Fat
from ostrya.image.reading.fat_entries import DIRECTORY, ENTRY_BYTES, FatEntry
from ostrya.image.reading.fat_layout import FREE
from ostrya.image.reading.sources import FileSource, Window

if TYPE_CHECKING:
    from collections.abc import Iterable

_ROOT = 0
_ARCHIVE = 0x20
_GONE = b"\xe5"
_MOST_FILE = (1 << 32) - 1
_FIRST_TIME = datetime(1980, 1, 1, tzinfo=UTC)
_INFO_FREE_AT = 488


class FatEditor:
    """A FAT in a file, open for writing."""

    def __init__(self, fd: int, offset: int, size: int) -> None:
        """Open it.

        Args:
            fd: The image, which is open for reading and writing and stays whoever's it is.
            offset: Where the FAT begins.
            size: How large it is.

        Raises:
            DiskError: It is none, or damaged.
        """
        self._fd = fd
        self._offset = offset
        # Reads what is written through the same file.
        self._fat = Fat(Window(FileSource(fd), offset, size))
        self._layout = self._fat.layout
        self._from = 2

    # -- what is asked for

    def find_dir(self, path: str) -> int:
        """Return where a directory begins, 0 for the root.

        Raises:
            DiskError: It is not there, or is none.
        """
        cluster = _ROOT
        for part in path.split("/"):
            if not part:
                continue
            found = self._find(cluster, part)
            if found is None or not found.is_dir:
                raise DiskError(f"there is no directory {path} on the FAT")
            cluster = found.cluster
        return cluster

    def make_dir(self, folder: int, name: str, timestamp: int) -> int:
        """Make a directory, if it is not there; return where it begins.

        Raises:
            DiskError: There is a file of that name; there is no room.
            LayoutError: It cannot be a name.
        """
        found = self._find(folder, name)
        if found is not None:
            if not found.is_dir:
                raise DiskError(f"{name} is a file on the FAT, not a directory")
            return found.cluster
        _check_name(name)
        (cluster,) = self._allocate(1)
        dots = b"".join(
            _encode(short, DIRECTORY, where, 0, timestamp)
            for short, where in ((b".".ljust(11), cluster), (b"..".ljust(11), folder))
        )
        self._write(self._layout.offset(cluster), dots.ljust(self._layout.cluster_bytes, b"\0"))
        self._link([cluster])
        self._add(folder, name, DIRECTORY, cluster, 0, timestamp)
        return cluster

    def put(
        self, folder: int, name: str, chunks: Iterable[bytes], size: int, timestamp: int
    ) -> None:
        """Write a file, in place of one of the same name.

        Args:
            folder: Where its directory begins.
            name: What it is called.
            chunks: What is in it.
            size: How much that is.
            timestamp: In seconds since 1970 UTC.

        Raises:
            DiskError: There is a directory of that name; there is no room.
            LayoutError: It cannot be a name.
        """
        found = self._find(folder, name)
        if found is not None and found.is_dir:
            raise DiskError(f"{name} is a directory on the FAT")
        if size > _MOST_FILE:
            raise DiskError(f"{name} has {size} bytes, more than a FAT can hold")
        _check_name(name)
        clusters = self._allocate(-(-size // self._layout.cluster_bytes))
        self._fill(clusters, chunks, size, name)
        self._link(clusters)
        first = clusters[0] if clusters else 0
        if found is None:
            self._add(folder, name, _ARCHIVE, first, size, timestamp)
            return
        entry = _encode(found.short, found.attributes, first, size, timestamp)
        self._write_entry(folder, found.at, entry)
        if found.cluster:
            self._release(found.cluster)

    def end(self) -> None:
        """Note how much is free, where that is noted."""
        layout = self._layout
        if layout.info_at:
            used = sum(count for _, count in layout.used_clusters())
            info = struct.pack("<II", layout.clusters - used, 0xFFFFFFFF)
            self._write(layout.info_at + _INFO_FREE_AT, info)

    # -- directories

    def _find(self, folder: int, name: str) -> FatEntry | None:
        wanted = name.upper()
        return next((one for one in self._fat.names(folder) if one.name.upper() == wanted), None)

    def _add(  # fields of an entry
        self, folder: int, name: str, attributes: int, cluster: int, size: int, timestamp: int
    ) -> None:
        try:
            self._add_entry(folder, name, (attributes, cluster, size, timestamp))
        except (DiskError, LayoutError):
            # There is no room for its name: then nobody has its content either.
            if cluster:
                self._release(cluster)
            raise

    def _add_entry(self, folder: int, name: str, fields: tuple[int, int, int, int]) -> None:
        taken = Names()
        for one in self._fat.names(folder):
            short = one.short.decode("latin-1")
            taken.choose(short[:8].rstrip(), short[8:].rstrip(), exact=True)
        short_name, long = encode_name(name, taken)
        data = long + _encode(short_name, *fields)
        at = self._room(folder, len(data) // ENTRY_BYTES)
        for place in range(0, len(data), ENTRY_BYTES):
            self._write_entry(folder, at + place, data[place : place + ENTRY_BYTES])

    def _room(self, folder: int, count: int) -> int:
        """Return where so many entries in a row are free in a directory; it grows if need be."""
        table = self._fat.table(folder)
        run, is_end = 0, False
        for at in range(0, len(table), ENTRY_BYTES):
            is_end = is_end or table[at] == 0
            run = run + 1 if is_end or table[at : at + 1] == _GONE else 0
            if run == count:
                return at - (count - 1) * ENTRY_BYTES
        if folder == _ROOT and self._layout.root_bytes:
            raise DiskError("there is no room in the root directory of the FAT")
        *_, last = self._layout.chain(folder or self._layout.root_cluster)
        needed = -(-(count - run) * ENTRY_BYTES // self._layout.cluster_bytes)
        more = self._allocate(needed)
        for cluster in more:
            self._write(self._layout.offset(cluster), bytes(self._layout.cluster_bytes))
        self._link([last, *more])
        return len(table) - run * ENTRY_BYTES

    def _write_entry(self, folder: int, at: int, entry: bytes) -> None:
        layout = self._layout
        if folder == _ROOT and layout.root_bytes:
            self._write(layout.root_at + at, entry)
            return
        number, within = divmod(at, layout.cluster_bytes)
        for index, cluster in enumerate(layout.chain(folder or layout.root_cluster)):
            if index == number:
                self._write(layout.offset(cluster) + within, entry)
                return

    # -- clusters

    def _allocate(self, count: int) -> list[int]:
        found: list[int] = []
        cluster = self._from
        while len(found) < count:
            if cluster >= self._layout.clusters + 2:
                raise LayoutError(
                    "there is no room on the FAT",
                    hint=f"it has {self._fat.free_bytes} bytes free",
                )
            if self._layout.next(cluster) == FREE:
                found.append(cluster)
            cluster += 1
        # What was taken is not free, even before it is linked.
        self._from = cluster
        return found

    def _fill(self, clusters: list[int], chunks: Iterable[bytes], size: int, name: str) -> None:
        held, at, written = bytearray(), 0, 0
        cluster_bytes = self._layout.cluster_bytes
        for chunk in chunks:
            held += chunk
            written += len(chunk)
            if written > size:
                break
            while len(held) >= cluster_bytes:
                self._write(self._layout.offset(clusters[at]), bytes(held[:cluster_bytes]))
                del held[:cluster_bytes]
                at += 1
        if written != size:
            raise DiskError(f"{name} changed while it was read")
        if held:
            data = bytes(held).ljust(cluster_bytes, b"\0")
            self._write(self._layout.offset(clusters[at]), data)

    def _link(self, clusters: list[int]) -> None:
        if not clusters:
            return
        for cluster, following in zip(clusters, [*clusters[1:], self._layout.end | 7], strict=True):
            self._set(cluster, following)
        self._layout.forget()

    def _release(self, cluster: int) -> None:
        for one in list(self._layout.chain(cluster)):
            self._set(one, FREE)
            self._from = min(self._from, one)
        self._layout.forget()

    def _set(self, cluster: int, value: int) -> None:
        layout = self._layout
        for table in range(layout.tables):
            at = layout.tables_at + table * layout.table_bytes
            if layout.bits == 12:
                at += cluster * 3 // 2
                both = int.from_bytes(self._read(at, 2), "little")
                both = both & 0x000F | value << 4 if cluster & 1 else both & 0xF000 | value & 0xFFF
                self._write(at, (both & 0xFFFF).to_bytes(2, "little"))
            elif layout.bits == 16:
                self._write(at + 2 * cluster, (value & 0xFFFF).to_bytes(2, "little"))
            else:
                old = int.from_bytes(self._read(at + 4 * cluster, 4), "little")
                # The four highest bits are nobody's to change.
                new = old & 0xF0000000 | value & 0x0FFFFFFF
                self._write(at + 4 * cluster, new.to_bytes(4, "little"))

    def _read(self, at: int, size: int) -> bytes:
        return os.pread(self._fd, size, self._offset + at)

    def _write(self, at: int, data: bytes) -> None:
        os.pwrite(self._fd, data, self._offset + at)


def _check_name(name: str) -> None:
    encode_name(name, Names())


def _encode(short: bytes, attributes: int, cluster: int, size: int, timestamp: int) -> bytes:
    moment = max(datetime.fromtimestamp(timestamp, UTC), _FIRST_TIME)
    time = moment.hour << 11 | moment.minute << 5 | moment.second // 2
    date = (min(moment.year, 2107) - 1980) << 9 | moment.month << 5 | moment.day
    return struct.pack(
        "<11sBBBHHHHHHHI", short, attributes, 0, 0, time, date, date, cluster >> 16, time, date,
        cluster & 0xFFFF, size,
    )  # fmt: skip
