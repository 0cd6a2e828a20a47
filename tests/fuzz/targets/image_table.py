# SPDX-License-Identifier: Apache-2.0
"""A partition table in which something is changed, of either kind, checksums mended or not."""

from __future__ import annotations

import struct
from uuid import UUID
from zlib import crc32

from patches import patched

from ostrya.image.errors import DiskError
from ostrya.image.gpt import TYPE_ESP, TYPE_LINUX, GptPartition, encode_gpt
from ostrya.image.reading.partitions import read_table
from ostrya.image.reading.sources import BytesSource

SECTORS = 127
PARTS = [
    GptPartition(40, 10, TYPE_ESP, UUID(int=1), "boot"),
    GptPartition(50, 20, TYPE_LINUX, UUID(int=2), "root"),
]


def whole(kind: int) -> bytes:
    """A disk with a GPT, or with an MBR and a logical partition."""
    if kind & 1:
        gpt = encode_gpt(PARTS, disk_guid=UUID(int=3), disk_sectors=SECTORS)
        return gpt.primary.ljust(SECTORS * 512 - len(gpt.backup), b"\0") + gpt.backup
    disk = bytearray(SECTORS * 512)
    for sector, entries in ((0, [(0x83, 4, 8), (0x0F, 16, 60)]), (16, [(0x83, 1, 8), (5, 20, 9)]),
                            (36, [(0x82, 1, 4)])):  # fmt: skip
        for at, (what, start, count) in enumerate(entries):
            struct.pack_into("<B3xB3xII", disk, sector * 512 + 446 + 16 * at, 0, what, start, count)
        disk[sector * 512 + 510 : sector * 512 + 512] = b"\x55\xaa"
    return bytes(disk)


def mended(disk: bytes) -> bytes:
    """The same with the checksums of both copies made right."""
    found = bytearray(disk)
    for at in (512, (SECTORS - 1) * 512):
        table, entries, size = struct.unpack_from("<QII", found, at + 72)
        if table * 512 + entries * size <= len(found) and entries * size < 1 << 16:
            data = bytes(found[table * 512 : table * 512 + entries * size])
            struct.pack_into("<I", found, at + 88, crc32(data))
        header = min(struct.unpack_from("<I", found, at + 12)[0], 512)
        struct.pack_into("<I", found, at + 16, 0)
        struct.pack_into("<I", found, at + 16, crc32(bytes(found[at : at + header])))
    return bytes(found)


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Read it."""
    kind = data[0] if data else 0
    disk = patched(whole(kind), data[1:])
    if kind & 2:
        disk = mended(disk)
    try:
        table = read_table(BytesSource(disk))
    except DiskError as exc:
        return exc
    numbers = [one.number for one in table.partitions]
    assert numbers == sorted(set(numbers))
    assert all(one.size_bytes > 0 for one in table.partitions)
    return table
