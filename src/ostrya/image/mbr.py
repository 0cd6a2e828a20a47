# SPDX-License-Identifier: Apache-2.0
"""The first sector of a disk: boot code, and a partition table of the old kind. Pure.

::

    0     boot code, 440 bytes
    440   u32 signature of the disk, u16 zero
    446   4 entries of 16 bytes: u8 active, 3 bytes first CHS, u8 type, 3 bytes last CHS,
          u32 first sector, u32 sectors
    510   55 aa

All little-endian. Cylinders, heads and sectors are given as "beyond what can be said" throughout.

Where four are too few, the fourth entry is an extended partition. Before each logical partition in
it, a sector of the same form says where that is, counted from this sector, and where the next such
sector is, counted from the beginning of the extended partition.

Source: UEFI specification 2.10, section 5.2; the kernel's block/partitions/msdos.c for the chain.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ostrya.image.errors import LayoutError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

SECTOR_BYTES = 512
BOOT_CODE_BYTES = 440
TYPE_PROTECTIVE = 0xEE
TYPE_FAT32_LBA = 0x0C
TYPE_SWAP_MBR = 0x82
TYPE_LINUX_MBR = 0x83
TYPE_ESP_MBR = 0xEF
TYPE_EXTENDED = 0x0F
FIRST_LOGICAL = 5
_ENTRY = struct.Struct("<B3sB3sII")
_BEYOND = b"\xfe\xff\xff"
MOST_PARTITIONS = 4
_MOST_SECTORS = 0xFFFFFFFF


class MbrPartition(NamedTuple):
    """One entry.

    Attributes:
        first: Its first sector.
        sectors: How many it has.
        type: What it holds.
        active: Whether it is the one to be started from.
    """

    first: int
    sectors: int
    type: int
    active: bool = False


def encode_mbr(
    partitions: Sequence[MbrPartition], *, signature: int = 0, boot_code: bytes = b""
) -> bytes:
    """Return the sector.

    Raises:
        LayoutError: There are too many partitions, one lies beyond what can be said, or the boot
            code is too long.
    """
    if len(partitions) > MOST_PARTITIONS:
        raise LayoutError(
            f"a table of the old kind has {MOST_PARTITIONS} partitions, not {len(partitions)}"
        )
    if len(boot_code) > BOOT_CODE_BYTES:
        raise LayoutError(f"{len(boot_code)} bytes of boot code do not fit into {BOOT_CODE_BYTES}")
    table = b"".join(map(_encode_entry, partitions)).ljust(MOST_PARTITIONS * _ENTRY.size, b"\0")
    head = boot_code.ljust(BOOT_CODE_BYTES, b"\0") + struct.pack("<IH", signature, 0)
    return head + table + b"\x55\xaa"


def encode_chain(
    extended: MbrPartition, logical: Sequence[MbrPartition], lead_sectors: int
) -> list[tuple[int, bytes]]:
    """Return the sectors that describe logical partitions, and where each of them lies, in sectors.

    Args:
        extended: What they are in.
        logical: In the order of their places.
        lead_sectors: How far before each partition its sector lies.
    """
    found = []
    for at, one in enumerate(logical):
        here = one.first - lead_sectors
        entries = [one._replace(first=lead_sectors)]
        if at + 1 < len(logical):
            following = logical[at + 1]
            first = following.first - lead_sectors - extended.first
            entries.append(MbrPartition(first, lead_sectors + following.sectors, TYPE_EXTENDED))
        found.append((here, encode_mbr(entries)))
    return found


def protective_mbr(disk_sectors: int, *, boot_code: bytes = b"") -> bytes:
    """Return the sector that keeps programs that know no GPT away from one.

    Raises:
        LayoutError: The boot code is too long.
    """
    covered = min(disk_sectors - 1, _MOST_SECTORS)
    entry = _ENTRY.pack(0, b"\x00\x02\x00", TYPE_PROTECTIVE, b"\xff\xff\xff", 1, covered)
    sector = encode_mbr((), boot_code=boot_code)
    at = BOOT_CODE_BYTES + 6
    return sector[:at] + entry + sector[at + _ENTRY.size :]


def _encode_entry(partition: MbrPartition) -> bytes:
    if partition.first + partition.sectors - 1 > _MOST_SECTORS:
        raise LayoutError("a partition lies beyond what a table of the old kind can say")
    if partition.sectors == 0:
        return bytes(_ENTRY.size)
    active = 0x80 if partition.active else 0
    return _ENTRY.pack(active, _BEYOND, partition.type, _BEYOND, partition.first, partition.sectors)
