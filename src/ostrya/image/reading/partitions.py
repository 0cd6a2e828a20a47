# SPDX-License-Identifier: Apache-2.0
"""Partition tables as they are read: GPT with its copy, MBR with logical partitions.

A GPT whose first copy is damaged is read from the second. Checksums are verified.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING
from uuid import UUID
from zlib import crc32

from ostrya.image.errors import DiskError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.image.reading.sources import Source

_SECTORS = (512, 4096)
_GPT_MAGIC = b"EFI PART"
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_MOST_ENTRIES, _MOST_ENTRY_BYTES = 1024, 1024
_MBR_ENTRY = struct.Struct("<B3xB3xII")
_MBR_AT, _SIGNATURE = 446, b"\x55\xaa"
_PROTECTIVE = 0xEE
_EXTENDED = (0x05, 0x0F, 0x85)
_MOST_LOGICAL = 60
_MBR_NAMES = {
    0x01: "FAT12", 0x04: "FAT16", 0x06: "FAT16", 0x0B: "FAT32", 0x0C: "FAT32", 0x0E: "FAT16",
    0x82: "swap", 0x83: "Linux", 0x8E: "LVM", 0xEF: "EFI system",
}  # fmt: skip
_GPT_NAMES = {
    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI system",
    "21686148-6449-6e6f-744e-656564454649": "BIOS boot",
    "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "basic data",
    "0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux",
    "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "swap",
    "e6d6d379-f507-44c2-a23c-238f2a3df928": "LVM",
    "4f68bce3-e8cd-4db1-96e7-fbcaf984b709": "Linux root (x86-64)",
    "b921b045-1df0-41c3-af44-4c6f280d3fae": "Linux root (ARM64)",
    "bc13c2ff-59e6-4262-a352-b275fd6f7172": "Linux /boot (XBOOTLDR)",
}


class Partition(NamedTuple):
    """One partition.

    Attributes:
        number: As Linux counts it.
        offset: Where it begins, in bytes.
        size_bytes: How large it is.
        type: What the table says it holds: a UUID, or a number such as ``0x83``.
        type_name: The same in words; empty if nobody knows.
        guid: Its own, by which ``PARTUUID=`` finds it.
        name: What it is called, ``PARTLABEL=``.
        bootable: Whether firmware of the old kind looks at it first.
    """

    number: int
    offset: int
    size_bytes: int
    type: str
    type_name: str
    guid: str
    name: str = ""
    bootable: bool = False


class Table(NamedTuple):
    """A partition table.

    Attributes:
        kind: ``gpt`` or ``mbr``; empty if there is none.
        guid: The disk's own.
        partitions: In the order of their numbers.
        faults: What is wrong with it, a sentence each.
    """

    kind: str
    guid: str
    partitions: tuple[Partition, ...]
    faults: tuple[str, ...] = ()


def read_table(source: Source) -> Table:
    """Read the partition table of a disk.

    Raises:
        DiskError: It is damaged beyond reading.
        OSError: It cannot be read.
    """
    if source.size_bytes < 1024:
        raise DiskError(f"it has only {source.size_bytes} bytes: that is no disk")
    first = source.read(0, 512)
    is_mbr = first[510:] == _SIGNATURE
    types = [first[_MBR_AT + 16 * at + 4] for at in range(4)]
    for sector in _SECTORS:
        has_header = source.size_bytes >= 3 * sector and source.read(sector, 8) == _GPT_MAGIC
        if has_header or (is_mbr and _PROTECTIVE in types and sector == _SECTORS[0]):
            return _read_gpt(source, sector)
    if not is_mbr:
        return Table("", "", ())
    return _read_mbr(source, first)


# -- GPT


class _GptHeader(NamedTuple):
    other: int
    guid: str
    table_at: int
    entries: int
    entry_bytes: int
    table_crc: int


def _read_gpt(source: Source, sector: int) -> Table:
    last = source.size_bytes // sector - 1
    faults: list[str] = []
    found: list[Table] = []
    for what, at in (("first", 1), ("second", last)):
        try:
            table = _read_copy(source, sector, at)
        except DiskError as exc:
            faults.append(f"the {what} copy of the partition table: {exc.message}")
        else:
            found.append(table)
    if not found:
        raise DiskError(f"the partition table is damaged: {'; '.join(faults)}")
    if len(found) == 2 and found[0] != found[1]:
        faults.append("the two copies of the partition table differ")
    return found[0]._replace(faults=tuple(faults))


def _read_copy(source: Source, sector: int, at: int) -> Table:
    raw = source.read(at * sector, min(sector, 512))
    header = _decode_header(raw, at)
    table = source.read(header.table_at * sector, header.entries * header.entry_bytes)
    if crc32(table) != header.table_crc:
        raise DiskError("the checksum of its entries is wrong")
    partitions = []
    for number in range(header.entries):
        entry = table[number * header.entry_bytes :][: _ENTRY.size]
        kind, guid, first, last, attributes, name = _ENTRY.unpack(entry)
        if not any(kind):
            continue
        if last < first or last * sector >= 1 << 63:
            raise DiskError(f"partition {number + 1} ends before it begins")
        kind_id = str(UUID(bytes_le=kind))
        partitions.append(
            Partition(
                number + 1,
                first * sector,
                (last - first + 1) * sector,
                kind_id,
                _GPT_NAMES.get(kind_id, ""),
                str(UUID(bytes_le=guid)),
                name.decode("utf-16-le", "replace").partition("\0")[0],
                bool(attributes & 4),
            )
        )
    return Table("gpt", header.guid, tuple(partitions))


def _decode_header(raw: bytes, at: int) -> _GptHeader:
    (
        magic, _, size, crc, _, here, other, _, _, guid, table_at, entries, entry_bytes, table_crc,
    ) = _HEADER.unpack_from(raw)  # fmt: skip
    if magic != _GPT_MAGIC:
        raise DiskError("it is not there")
    if not _HEADER.size <= size <= len(raw):
        raise DiskError(f"its header says that it has {size} bytes")
    if crc32(raw[:16] + bytes(4) + raw[20:size]) != crc:
        raise DiskError("the checksum of its header is wrong")
    if here != at:
        raise DiskError(f"it says that it is in sector {here}, and is in {at}")
    if not _ENTRY.size <= entry_bytes <= _MOST_ENTRY_BYTES or entries > _MOST_ENTRIES:
        raise DiskError(f"it has {entries} entries of {entry_bytes} bytes")
    return _GptHeader(other, str(UUID(bytes_le=guid)), table_at, entries, entry_bytes, table_crc)


# -- MBR


def _read_mbr(source: Source, first: bytes) -> Table:
    signature = struct.unpack_from("<I", first, 440)[0]
    found = []
    for number, (active, kind, start, sectors) in enumerate(_entries(first), 1):
        if not kind or not sectors:
            continue
        found.append(_mbr_partition(signature, number, kind, start, sectors, active))
        if kind in _EXTENDED:
            found += _logical(source, signature, start)
    found.sort(key=lambda one: one.number)
    return Table("mbr", f"{signature:08x}", tuple(found))


def _entries(sector: bytes) -> Iterator[tuple[int, int, int, int]]:
    for at in range(4):
        active, kind, start, sectors = _MBR_ENTRY.unpack_from(sector, _MBR_AT + 16 * at)
        yield active, kind, start, sectors


def _mbr_partition(  # fields of an entry
    signature: int, number: int, kind: int, start: int, sectors: int, active: int
) -> Partition:
    return Partition(
        number,
        start * 512,
        sectors * 512,
        f"{kind:#04x}",
        "extended" if kind in _EXTENDED else _MBR_NAMES.get(kind, ""),
        f"{signature:08x}-{number:02x}",
        bootable=bool(active & 0x80),
    )


def _logical(source: Source, signature: int, base: int) -> Iterator[Partition]:
    """Yield logical partitions: each sector of a chain says one, and where the next sector is."""
    at, seen = base, set[int]()
    for number in range(5, 5 + _MOST_LOGICAL):
        if at in seen or (at + 1) * 512 > source.size_bytes:
            raise DiskError(f"the chain of logical partitions is damaged at sector {at}")
        seen.add(at)
        sector = source.read(at * 512, 512)
        if sector[510:] != _SIGNATURE:
            raise DiskError(f"the chain of logical partitions is damaged at sector {at}")
        one, following, *_ = _entries(sector)
        if one[1] and one[3]:
            yield _mbr_partition(signature, number, one[1], at + one[2], one[3], one[0])
        if not following[1] or not following[3]:
            return
        at = base + following[2]
