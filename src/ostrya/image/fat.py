# SPDX-License-Identifier: Apache-2.0
r"""FAT16 and FAT32 file systems, written whole. Pure.

::

    boot sector        how large everything is; a message for who starts from it
    (FAT32)            sector 1: how much is free; sector 6: the boot sector again
    FAT, twice         for each cluster the next one of its file
    (FAT16)            root directory
    clusters           files, and directories but for that one

Names that are not of the form ``NAME.EXT`` in capitals have entries for the long name before the
short one. Files lie in one piece each, in the order of their paths; all times are the same.

Source: Microsoft's FAT32 File System Specification 1.03; the same numbers in dosfstools.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ostrya.image.errors import LayoutError
from ostrya.image.fat_names import Names, encode_name
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SECTOR_BYTES = 512
_ENTRY = struct.Struct("<11sBBBHHHHHHHI")
_ENTRY_BYTES = 32
_DIRECTORY, _VOLUME, _ARCHIVE = 0x10, 0x08, 0x20
_LEAST_FAT16, _LEAST_FAT32, _MOST_FAT32 = 4085, 65525, 0x0FFFFFF5
_ROOT_ENTRIES = 512
FAT32_FROM_BYTES = 64 << 20
_FAT32_RESERVED = 32
_INFO_SECTOR, _BACKUP_SECTOR = 1, 6
_FIRST_TIME = datetime(1980, 1, 1, tzinfo=UTC)
# Print the text behind it, wait for a key, start over.
_LOADER = "0e1fbe%02x7cac22c0740b56b40ebb0700cd105eebf032e4cd16cd19ebfe"
_LOADER_BYTES = 29
_MESSAGE = b"This is not a bootable disk.\r\n\0"


class FatFile(NamedTuple):
    """A file to be on it.

    Attributes:
        path: With slashes, without one at its beginning.
        data: What is in it.
    """

    path: str
    data: bytes


class FatOptions(NamedTuple):
    """What is the same for all of a file system.

    Attributes:
        size_bytes: How large it is; what is less than a sector goes unused.
        label: Of up to 11 characters; capitals, for those who care.
        volume_id: Its number, ``UUID=XXXX-XXXX``.
        timestamp: Of everything, in seconds since 1970 UTC.
        hidden_sectors: What is before its partition.
    """

    size_bytes: int
    label: str
    volume_id: int
    timestamp: int = 0
    hidden_sectors: int = 0


class _Shape(NamedTuple):
    """How it is divided."""

    is_fat32: bool
    sectors: int
    reserved: int
    cluster_sectors: int
    fat_sectors: int
    clusters: int

    @property
    def root_sectors(self) -> int:
        return 0 if self.is_fat32 else _ROOT_ENTRIES * _ENTRY_BYTES // SECTOR_BYTES

    @property
    def data_at(self) -> int:
        return self.reserved + 2 * self.fat_sectors + self.root_sectors

    @property
    def cluster_bytes(self) -> int:
        return self.cluster_sectors * SECTOR_BYTES


class _Node:
    """A file or directory on its way."""

    __slots__ = ("children", "data", "first")

    def __init__(self, data: bytes | None) -> None:
        self.data = data
        self.children: dict[str, _Node] = {}
        self.first = 0


def encode_fat(files: Iterable[FatFile], options: FatOptions) -> Iterator[tuple[int, bytes]]:
    """Yield a file system in pieces: where each begins, and its bytes; all else is zero.

    Directories are made as paths need them.

    Raises:
        LayoutError: It has no room for them, or a name or the label cannot be on it.
    """
    return _Writer(files, options).pieces()


def least_bytes(files: Iterable[FatFile]) -> int:
    """Say how large a FAT32 with clusters of a sector has to be at least, for these files."""
    sectors = sum(-(-len(file.data) // SECTOR_BYTES) + 4 for file in files)
    return max(sectors + 128, _LEAST_FAT32) * (SECTOR_BYTES + 8) + (64 << 10)


class _Writer:
    def __init__(self, files: Iterable[FatFile], options: FatOptions) -> None:
        self._options = options
        self._shape = _divide(options.size_bytes // SECTOR_BYTES)
        self._root = _plant(files)
        self._stamp = _encode_time(options.timestamp)
        self._label = _encode_label(options.label)
        self._next = 2
        # Lengths of the chains, in the order of their clusters.
        self._chains: list[int] = []
        self._data: list[tuple[int, bytes]] = []

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        shape = self._shape
        label = _ENTRY.pack(self._label, _VOLUME, 0, 0, 0, 0, 0, 0, *self._stamp, 0, 0)
        self._place(self._root, None, label)
        used = self._next - 2
        boot = self._boot_sector()
        yield 0, boot
        if shape.is_fat32:
            info = self._info_sector(shape.clusters - used)
            yield _INFO_SECTOR * SECTOR_BYTES, info
            yield _BACKUP_SECTOR * SECTOR_BYTES, boot + info
        table = self._table()
        for at in (shape.reserved, shape.reserved + shape.fat_sectors):
            yield at * SECTOR_BYTES, table
        yield from self._data

    # -- placing

    def _place(self, node: _Node, parent: _Node | None, head: bytes) -> None:
        """Give a directory its clusters, then all below it; only then it can be written."""
        entries = _count_entries(node) + (1 if parent is None else 2)
        is_fixed = parent is None and not self._shape.is_fat32
        if is_fixed:
            if entries > _ROOT_ENTRIES:
                raise LayoutError(f"the root of a FAT16 has {_ROOT_ENTRIES} entries, not {entries}")
        else:
            node.first = self._take(max(1, entries * _ENTRY_BYTES))
        for _, child in sorted(node.children.items()):
            if child.data is None:
                self._place(child, node, b"")
            elif child.data:
                child.first = self._take(len(child.data))
                self._data.append((self._offset(child.first), child.data))
        if parent is not None:
            # The root is said to be cluster 0 there, wherever it is.
            above = 0 if parent is self._root else parent.first
            head = self._entry(b".          ", _DIRECTORY, node.first, 0)
            head += self._entry(b"..         ", _DIRECTORY, above, 0)
        place = (
            (self._shape.data_at - self._shape.root_sectors) * SECTOR_BYTES
            if is_fixed
            else self._offset(node.first)
        )
        self._data.append((place, head + self._directory(node)))

    def _take(self, size: int) -> int:
        count = -(-size // self._shape.cluster_bytes)
        first = self._next
        if first - 2 + count > self._shape.clusters:
            raise LayoutError(
                f"the files do not fit into a FAT of {self._options.size_bytes >> 20} MiB",
                hint="make its partition greater",
            )
        self._next += count
        self._chains.append(count)
        return first

    def _offset(self, cluster: int) -> int:
        shape = self._shape
        return (shape.data_at + (cluster - 2) * shape.cluster_sectors) * SECTOR_BYTES

    def _directory(self, node: _Node) -> bytes:
        names, data = Names(), b""
        for name, child in sorted(node.children.items()):
            short, long_entries = encode_name(name, names)
            size = 0 if child.data is None else len(child.data)
            kind = _DIRECTORY if child.data is None else _ARCHIVE
            data += long_entries + self._entry(short, kind, child.first, size)
        return data

    def _entry(self, short: bytes, kind: int, first: int, size: int) -> bytes:
        time, date = self._stamp
        return _ENTRY.pack(
            short, kind, 0, 0, time, date, date, first >> 16, time, date, first & 0xFFFF, size
        )

    # -- what is before the clusters

    def _table(self) -> bytes:
        if self._shape.is_fat32:
            code, end, head = "I", 0x0FFFFFFF, (0x0FFFFFF8, 0x0FFFFFFF)
        else:
            code, end, head = "H", 0xFFFF, (0xFFF8, 0xFFFF)
        links = list(head)
        for count in self._chains:
            at = len(links)
            links += range(at + 1, at + count)
            links.append(end)
        return struct.pack(f"<{len(links)}{code}", *links)

    def _boot_sector(self) -> bytes:
        shape, options = self._shape, self._options
        small = shape.sectors if shape.sectors < 0x10000 else 0
        head = struct.pack(
            "<3s8sHBHBHHBHHHII",
            b"\xeb\x58\x90" if shape.is_fat32 else b"\xeb\x3c\x90", b"OSTRYA  ", SECTOR_BYTES,
            shape.cluster_sectors, shape.reserved, 2, 0 if shape.is_fat32 else _ROOT_ENTRIES,
            small, 0xF8, 0 if shape.is_fat32 else shape.fat_sectors, 63, 255,
            options.hidden_sectors, 0 if small else shape.sectors,
        )  # fmt: skip
        if shape.is_fat32:
            head += struct.pack(
                "<IHHIHH12x",
                shape.fat_sectors,
                0,
                0,
                self._root.first,
                _INFO_SECTOR,
                _BACKUP_SECTOR,
            )
        name = b"FAT32   " if shape.is_fat32 else b"FAT16   "
        head += struct.pack("<BBBI11s8s", 0x80, 0, 0x29, options.volume_id, self._label, name)
        loader = bytes.fromhex(_LOADER % (len(head) + _LOADER_BYTES))
        return (head + loader + _MESSAGE).ljust(510, b"\0") + b"\x55\xaa"

    def _info_sector(self, free: int) -> bytes:
        data = struct.pack("<4s480x4sII12x", b"RRaA", b"rrAa", free, self._next)
        return data + b"\0\0\x55\xaa"


def _divide(sectors: int) -> _Shape:
    is_fat32 = sectors * SECTOR_BYTES >= FAT32_FROM_BYTES
    cluster_sectors = 1
    while True:
        shape = _shape(is_fat32, sectors, cluster_sectors)
        most = _MOST_FAT32 if is_fat32 else _LEAST_FAT32 - 1
        wanted = 8 if is_fat32 and sectors > 260 << 11 else 1
        if shape.clusters <= most and cluster_sectors >= wanted:
            break
        cluster_sectors *= 2
        if cluster_sectors > 64:
            raise LayoutError(f"{sectors} sectors are too many for a FAT")
    if shape.clusters < (_LEAST_FAT32 if is_fat32 else _LEAST_FAT16):
        raise LayoutError(f"{sectors} sectors are too few for a FAT", hint="it begins at 3 MiB")
    return shape


def _shape(is_fat32: bool, sectors: int, cluster_sectors: int) -> _Shape:  # noqa: FBT001
    reserved = _FAT32_RESERVED if is_fat32 else 1
    shape = _Shape(is_fat32, sectors, reserved, cluster_sectors, 0, 0)
    entry_bytes = 4 if is_fat32 else 2
    left = sectors - shape.data_at
    # Of each cluster its sectors, and its links in both tables.
    clusters = left * SECTOR_BYTES // (shape.cluster_bytes + 2 * entry_bytes)
    fat_sectors = -(-(clusters + 2) * entry_bytes // SECTOR_BYTES)
    shape = shape._replace(fat_sectors=fat_sectors)
    return shape._replace(clusters=max(0, sectors - shape.data_at) // cluster_sectors)


def _plant(files: Iterable[FatFile]) -> _Node:
    root = _Node(None)
    for file in files:
        node = root
        *folders, name = file.path.split("/")
        for folder in folders:
            node = node.children.setdefault(folder, _Node(None))
            if node.data is not None:
                raise LayoutError(f"{file.path} is below a file")
        if name in node.children:
            raise LayoutError(f"{file.path} is there twice")
        node.children[name] = _Node(file.data)
    return root


def _count_entries(node: _Node) -> int:
    names = Names()
    long_bytes = sum(len(encode_name(name, names)[1]) for name in sorted(node.children))
    return len(node.children) + long_bytes // _ENTRY_BYTES


def _encode_label(label: str) -> bytes:
    encoded = label.encode("ascii", "replace")
    if not 0 < len(encoded) <= 11 or b"?" in encoded:
        raise LayoutError(f"'{label}' cannot be the label of a FAT")
    return encoded.ljust(11)


def _encode_time(timestamp: int) -> tuple[int, int]:
    """Return time and date; what is before 1980 is said to be its first day."""
    moment = max(datetime.fromtimestamp(timestamp, UTC), _FIRST_TIME)
    return (
        moment.hour << 11 | moment.minute << 5 | moment.second // 2,
        (moment.year - 1980) << 9 | moment.month << 5 | moment.day,
    )
