# SPDX-License-Identifier: Apache-2.0
"""Disks with one partition, for guests: a GPT or an MBR around a file system's image."""

from __future__ import annotations

import struct
import uuid
import zlib
from pathlib import Path

SECTOR = 512
START = 2048
LINUX = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")


def wrap_gpt(inside: Path, image: Path, *, partuuid: str, name: str, at: int = 2) -> Path:
    """Put an image into the partition of a number of a new disk."""
    sectors = inside.stat().st_size // SECTOR
    total = START + sectors + 34
    entry = struct.pack(
        "<16s16sQQQ72s", LINUX.bytes_le, uuid.UUID(partuuid).bytes_le, START, START + sectors - 1, 0,
        name.encode("utf-16-le"),
    )  # fmt: skip
    table = bytes(128 * (at - 1)) + entry
    table += bytes(128 * 128 - len(table))

    def header(here: int, there: int, entries: int) -> bytes:
        def pack(crc: int) -> bytes:
            return struct.pack(
                "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here, there, 34, total - 34,
                uuid.UUID(int=7).bytes_le, entries, 128, 128, zlib.crc32(table),
            )  # fmt: skip

        return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")

    protective = mbr_sector(0xEE, 1, total - 1, b"\0\0\0\0")
    with image.open("wb") as stream:
        stream.truncate(total * SECTOR)
        stream.write(protective + header(1, total - 1, 2) + table)
        copy_into(inside, stream)
        stream.seek((total - 33) * SECTOR)
        stream.write(table + header(total - 1, 1, total - 33))
    return image


def wrap_mbr(inside: Path, image: Path, *, signature: bytes) -> Path:
    """Put an image into the first partition of a new disk with that signature."""
    sectors = inside.stat().st_size // SECTOR
    with image.open("wb") as stream:
        stream.truncate((START + sectors) * SECTOR)
        stream.write(mbr_sector(0x83, START, sectors, signature))
        copy_into(inside, stream)
    return image


def mbr_sector(kind: int, start: int, sectors: int, signature: bytes) -> bytes:
    entry = struct.pack("<B3sB3sII", 0, b"\0\x02\0", kind, b"\xff\xff\xff", start, sectors)
    return (bytes(440) + signature + b"\0\0" + entry).ljust(510, b"\0") + b"\x55\xaa"


def copy_into(inside: Path, stream) -> None:
    """Copy what is not zero: images are mostly holes."""
    with inside.open("rb") as source:
        at = START * SECTOR
        while chunk := source.read(1 << 20):
            if chunk.count(0) != len(chunk):
                stream.seek(at)
                stream.write(chunk)
            at += len(chunk)
