# SPDX-License-Identifier: Apache-2.0
"""GUID partition tables. Pure.

::

    sector 0          protective MBR
    sector 1          header
    sectors 2…33      128 entries of 128 bytes
    …                 partitions
    last 33 sectors   the entries again, and the header again, each pointing at the other

Header, little-endian::

    8s "EFI PART"  u32 revision  u32 size  u32 its crc32  u32 zero  u64 here  u64 the other
    u64 first usable sector  u64 last  16s disk  u64 entries  u32 how many  u32 size  u32 crc32

Source: UEFI specification 2.10, section 5.3.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING
from uuid import UUID
from zlib import crc32

from ostrya.image.errors import LayoutError
from ostrya.image.mbr import SECTOR_BYTES, protective_mbr
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

TYPE_ESP = UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
TYPE_BIOS_BOOT = UUID("21686148-6449-6e6f-744e-656564454649")
TYPE_BASIC_DATA = UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
TYPE_SWAP = UUID("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f")
TYPE_LINUX = UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
# Bit 2: what firmware of the old kind, and U-Boot, start from.
LEGACY_BOOTABLE = 1 << 2

ENTRIES = 128
_ENTRY = struct.Struct("<16s16sQQQ72s")
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_TABLE_SECTORS = ENTRIES * _ENTRY.size // SECTOR_BYTES
FIRST_USABLE = 2 + _TABLE_SECTORS
# Of the end of a disk: the entries and the header.
BACKUP_SECTORS = _TABLE_SECTORS + 1
_NAME_BYTES = 72


class GptPartition(NamedTuple):
    """One partition.

    Attributes:
        first: Its first sector.
        sectors: How many it has.
        type: What it holds.
        guid: Its own, by which ``PARTUUID=`` finds it.
        name: What it is called, ``PARTLABEL=``.
        attributes: Bits such as `LEGACY_BOOTABLE`.
    """

    first: int
    sectors: int
    type: UUID
    guid: UUID
    name: str
    attributes: int = 0


class Gpt(NamedTuple):
    """A table as it is written.

    Attributes:
        primary: From the first sector of the disk on.
        backup: The last sectors of the disk.
    """

    primary: bytes
    backup: bytes


def encode_gpt(
    partitions: Sequence[GptPartition],
    *,
    disk_guid: UUID,
    disk_sectors: int,
    boot_code: bytes = b"",
) -> Gpt:
    """Return both copies of a table.

    Args:
        partitions: In the order of their numbers.
        disk_guid: The disk's own.
        disk_sectors: How large it is.
        boot_code: What firmware of the old kind starts.

    Raises:
        LayoutError: They overlap, lie outside of what is usable, or are too many; a name is too
            long.
    """
    last_usable = disk_sectors - BACKUP_SECTORS - 1
    _check(partitions, last_usable)
    table = b"".join(map(_encode_entry, partitions)).ljust(ENTRIES * _ENTRY.size, b"\0")

    def header(here: int, other: int, table_at: int) -> bytes:
        fields = (
            b"EFI PART", 0x10000, _HEADER.size, 0, 0, here, other, FIRST_USABLE, last_usable,
            disk_guid.bytes_le, table_at, ENTRIES, _ENTRY.size, crc32(table),
        )  # fmt: skip
        blank = _HEADER.pack(*fields)
        return _HEADER.pack(*fields[:3], crc32(blank), *fields[4:]).ljust(SECTOR_BYTES, b"\0")

    end = disk_sectors - 1
    protective = protective_mbr(disk_sectors, boot_code=boot_code)
    return Gpt(
        protective + header(1, end, 2) + table,
        table + header(end, 1, disk_sectors - BACKUP_SECTORS),
    )


def _check(partitions: Sequence[GptPartition], last_usable: int) -> None:
    if len(partitions) > ENTRIES:
        raise LayoutError(f"a table has {ENTRIES} partitions, not {len(partitions)}")
    free = FIRST_USABLE
    for partition in sorted(partitions, key=lambda one: one.first):
        if partition.sectors < 1:
            raise LayoutError(f"partition {partition.name} has no sectors")
        if partition.first < free:
            raise LayoutError(f"partition {partition.name} begins where something else is")
        free = partition.first + partition.sectors
        if free - 1 > last_usable:
            raise LayoutError(f"partition {partition.name} ends behind the end of the disk")


def _encode_entry(partition: GptPartition) -> bytes:
    name = partition.name.encode("utf-16-le")
    if len(name) > _NAME_BYTES:
        raise LayoutError(f"'{partition.name}' is too long for the name of a partition")
    return _ENTRY.pack(
        partition.type.bytes_le,
        partition.guid.bytes_le,
        partition.first,
        partition.first + partition.sectors - 1,
        partition.attributes,
        name,
    )
