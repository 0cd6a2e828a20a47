# SPDX-License-Identifier: Apache-2.0
"""How the last partition of a disk gets what is behind it, though power may fail. Pure.

Of a GUID partition table, whoever reads it looks at the first header, and believes it if the
checksum of the entries is right. A header is one sector, which is written whole or not at all::

    1. entries and header at the new end of the disk        nobody looks there yet
    2. the first header, with its entries at the new end    from here on, it has grown
    3. the entries in sector 2, the first header with these, the MBR before them

Of a table of the old kind, one sector says all; of a logical partition, first that one says how
large the extended partition is, then the one before the logical partition how large that is.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING
from zlib import crc32

from ostrya.image.errors import LayoutError
from ostrya.image.mbr import FIRST_LOGICAL, SECTOR_BYTES
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY_ENDS = struct.Struct("<QQ")
_ENTRY_FIRST_AT = 32
_MAGIC = b"EFI PART"
_ALIGN_SECTORS = (1 << 20) // SECTOR_BYTES
_MOST_TABLE_BYTES = 1 << 20
_MBR_MAGIC = b"\x55\xaa"
_MBR_TABLE, _MBR_ENTRY = 446, struct.Struct("<B3sB3sII")
_PROTECTIVE = 0xEE
_MOST_MBR_SECTORS = 0xFFFFFFFF
_MBR_PARTITIONS = 4
_EXTENDED = (0x05, 0x0F, 0x85)


class Growth(NamedTuple):
    """What is to be written, in this order; each piece has to be on the disk before the next.

    Attributes:
        first: Where the partition begins, in sectors.
        sectors: How large it is then.
        writes: Offsets and bytes; none if there is nothing to gain.
    """

    first: int
    sectors: int
    writes: tuple[tuple[int, bytes], ...]


def plan_growth(read: Callable[[int, int], bytes], disk_sectors: int, number: int) -> Growth:
    """Say how a partition grows to the end of a disk.

    Args:
        read: Given an offset and a size, returns what is on the disk there.
        disk_sectors: How large that is.
        number: Of the partition, from 1.

    Raises:
        LayoutError: There is no such partition or table, or something is behind it.
    """
    mbr = read(0, SECTOR_BYTES)
    if len(mbr) != SECTOR_BYTES or mbr[510:512] != _MBR_MAGIC:
        raise LayoutError("the disk has no partition table")
    kinds = [_mbr_entry(mbr, at)[2] for at in range(_MBR_PARTITIONS)]
    if _PROTECTIVE not in kinds:
        if number >= FIRST_LOGICAL:
            return _grow_logical(read, mbr, disk_sectors, number)
        return _grow_mbr(mbr, disk_sectors, number)
    return _grow_gpt(read, mbr, disk_sectors, number)


# -- tables of the old kind


def _mbr_entry(mbr: bytes, at: int) -> tuple[int, bytes, int, bytes, int, int]:
    flag, begins, kind, ends, first, sectors = _MBR_ENTRY.unpack_from(
        mbr, _MBR_TABLE + at * _MBR_ENTRY.size
    )
    return flag, begins, kind, ends, first, sectors


def _with_mbr_sectors(mbr: bytes, at: int, sectors: int) -> bytes:
    flag, begins, kind, ends, first, _ = _mbr_entry(mbr, at)
    changed = bytearray(mbr)
    place = _MBR_TABLE + at * _MBR_ENTRY.size
    _MBR_ENTRY.pack_into(changed, place, flag, begins, kind, ends, first, sectors)
    return bytes(changed)


def _grow_mbr(mbr: bytes, disk_sectors: int, number: int) -> Growth:
    if not 1 <= number <= _MBR_PARTITIONS:
        raise LayoutError(f"a table of the old kind has no partition {number} that could grow")
    entries = [_mbr_entry(mbr, at) for at in range(_MBR_PARTITIONS)]
    *_, first, sectors = entries[number - 1]
    if sectors == 0:
        raise LayoutError(f"the disk has no partition {number}")
    _require_last(first, [entry[4] for entry in entries if entry[5]], number)
    end = _mbr_end(disk_sectors)
    if end - first <= sectors:
        return Growth(first, sectors, ())
    grown = _with_mbr_sectors(mbr, number - 1, end - first)
    return Growth(first, end - first, ((0, grown),))


def _mbr_end(disk_sectors: int) -> int:
    return min(disk_sectors // _ALIGN_SECTORS * _ALIGN_SECTORS, _MOST_MBR_SECTORS)


def _grow_logical(
    read: Callable[[int, int], bytes], mbr: bytes, disk_sectors: int, number: int
) -> Growth:
    entries = [_mbr_entry(mbr, at) for at in range(_MBR_PARTITIONS)]
    slot = next((at for at, entry in enumerate(entries) if entry[2] in _EXTENDED), None)
    if slot is None:
        raise LayoutError(f"the disk has no partition {number}")
    *_, base, extended_sectors = entries[slot]
    here = base
    for _ in range(FIRST_LOGICAL, number):
        sector = _chained(read, here)
        *_, following, sectors = _mbr_entry(sector, 1)
        if sectors == 0:
            raise LayoutError(f"the disk has no partition {number}")
        here = base + following
    sector = _chained(read, here)
    *_, lead, sectors = _mbr_entry(sector, 0)
    first = here + lead
    begins = [entry[4] for entry in entries if entry[5]]
    if _mbr_entry(sector, 1)[5]:
        begins.append(first + sectors)
    _require_last(first, begins, number)
    end = _mbr_end(disk_sectors)
    if end - first <= sectors:
        return Growth(first, sectors, ())
    writes = [(here * SECTOR_BYTES, _with_mbr_sectors(sector, 0, end - first))]
    if end - base > extended_sectors:
        writes.insert(0, (0, _with_mbr_sectors(mbr, slot, end - base)))
    return Growth(first, end - first, tuple(writes))


def _chained(read: Callable[[int, int], bytes], at: int) -> bytes:
    sector = read(at * SECTOR_BYTES, SECTOR_BYTES)
    if len(sector) != SECTOR_BYTES or sector[510:512] != _MBR_MAGIC:
        raise LayoutError(f"the chain of logical partitions is damaged at sector {at}")
    return sector


# -- GUID partition tables


class _Header(NamedTuple):
    """The first header of a table."""

    size: int
    first_usable: int
    guid: bytes
    entry_count: int
    entry_bytes: int
    entries: bytes


def _read_header(read: Callable[[int, int], bytes]) -> _Header:
    sector = read(SECTOR_BYTES, SECTOR_BYTES)
    found = _HEADER.unpack_from(sector.ljust(_HEADER.size, b"\0"))
    magic, _, size, checksum, _, here, _, first_usable, _, guid = found[:10]
    table_at, count, entry_bytes, table_checksum = found[10:]
    problem = "the partition table is damaged"
    if magic != _MAGIC or here != 1 or not _HEADER.size <= size <= SECTOR_BYTES:
        raise LayoutError(problem)
    blank = sector[:16] + bytes(4) + sector[20:size]
    if crc32(blank) != checksum:
        raise LayoutError(problem)
    if entry_bytes < 128 or count * entry_bytes > _MOST_TABLE_BYTES:
        raise LayoutError(problem)
    entries = read(table_at * SECTOR_BYTES, count * entry_bytes)
    if len(entries) != count * entry_bytes or crc32(entries) != table_checksum:
        raise LayoutError(problem)
    return _Header(size, first_usable, guid, count, entry_bytes, entries)


def _grow_gpt(
    read: Callable[[int, int], bytes], mbr: bytes, disk_sectors: int, number: int
) -> Growth:
    header = _read_header(read)
    begins = []
    for at in range(header.entry_count):
        entry = header.entries[at * header.entry_bytes :][: header.entry_bytes]
        if any(entry[:16]):
            begins.append(_ENTRY_ENDS.unpack_from(entry, _ENTRY_FIRST_AT)[0])
    place = (number - 1) * header.entry_bytes
    if not 1 <= number <= header.entry_count or not any(header.entries[place : place + 16]):
        raise LayoutError(f"the disk has no partition {number}")
    first, last = _ENTRY_ENDS.unpack_from(header.entries, place + _ENTRY_FIRST_AT)
    _require_last(first, begins, number)
    table_sectors = -(-len(header.entries) // SECTOR_BYTES)
    backup_at = disk_sectors - 1 - table_sectors
    end = backup_at // _ALIGN_SECTORS * _ALIGN_SECTORS
    if end - 1 <= last:
        return Growth(first, last - first + 1, ())
    entries = bytearray(header.entries)
    _ENTRY_ENDS.pack_into(entries, place + _ENTRY_FIRST_AT, first, end - 1)
    table = bytes(entries)
    header = header._replace(entries=table)
    here, there = 1, disk_sectors - 1
    writes = [
        (backup_at * SECTOR_BYTES, table + _encode(header, there, here, backup_at, backup_at - 1)),
        (SECTOR_BYTES, _encode(header, here, there, backup_at, backup_at - 1)),
        (2 * SECTOR_BYTES, table),
        (SECTOR_BYTES, _encode(header, here, there, 2, backup_at - 1)),
    ]
    for at in range(_MBR_PARTITIONS):
        _, _, kind, _, begins_at, _ = _mbr_entry(mbr, at)
        if kind == _PROTECTIVE:
            covered = min(disk_sectors - begins_at, _MOST_MBR_SECTORS)
            writes.append((0, _with_mbr_sectors(mbr, at, covered)))
    return Growth(first, end - first, tuple(writes))


def _encode(header: _Header, here: int, there: int, table_at: int, last_usable: int) -> bytes:
    fields = (
        _MAGIC, 0x10000, _HEADER.size, 0, 0, here, there, header.first_usable, last_usable,
        header.guid, table_at, header.entry_count, header.entry_bytes, crc32(header.entries),
    )  # fmt: skip
    blank = _HEADER.pack(*fields)
    return _HEADER.pack(*fields[:3], crc32(blank), *fields[4:]).ljust(SECTOR_BYTES, b"\0")


def _require_last(first: int, begins: list[int], number: int) -> None:
    if any(begin > first for begin in begins):
        raise LayoutError(f"there is something behind partition {number}, so that it cannot grow")
