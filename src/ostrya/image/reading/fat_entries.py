# SPDX-License-Identifier: Apache-2.0
"""Entries of a directory of a FAT, with their long names. Pure.

Source: Microsoft's FAT specification, 1.03.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTRY_BYTES = 32
GONE, END = 0xE5, 0x00
DIRECTORY, VOLUME, READ_ONLY = 0x10, 0x08, 0x01
_LONG = 0x0F
_LOWER_STEM, _LOWER_SUFFIX = 0x08, 0x10
_DOTS = (b".          ", b"..         ")


class FatEntry(NamedTuple):
    """A name in a directory.

    Attributes:
        name: The long one, where there is one.
        short: The short one as it stands there.
        attributes: Bits.
        cluster: Where its content begins; 0 for nowhere.
        size: In bytes; of a directory 0.
        mtime: In seconds since 1970 UTC.
        first: Where its entries begin in the directory.
        at: Where the entry itself is.
    """

    name: str
    short: bytes
    attributes: int
    cluster: int
    size: int
    mtime: int
    first: int
    at: int

    @property
    def is_dir(self) -> bool:
        """Whether it is a directory."""
        return bool(self.attributes & DIRECTORY)


def decode_entries(table: bytes) -> Iterator[FatEntry]:
    """Yield what is in a directory, volume labels too; what is damaged is left out."""
    long: dict[int, bytes] = {}
    check, first = -1, 0
    for at in range(0, len(table) - ENTRY_BYTES + 1, ENTRY_BYTES):
        entry = table[at : at + ENTRY_BYTES]
        if entry[0] == END:
            return
        if entry[0] != GONE and entry[11] & 0x3F == _LONG:
            if entry[0] & 0x40 or entry[13] != check:
                long, check, first = {}, entry[13], at
            long[entry[0] & 0x3F] = entry[1:11] + entry[14:26] + entry[28:32]
            continue
        if entry[0] != GONE and entry[:11] not in _DOTS:
            is_long = _is_whole(long) and check == _checksum(entry[:11])
            name = _long_name(long) if is_long else _short_name(entry)
            if name not in ("", ".", "..") and "/" not in name:
                yield _decode(entry, name, first if is_long else at, at)
        long, check = {}, -1


def _is_whole(long: dict[int, bytes]) -> bool:
    return bool(long) and sorted(long) == list(range(1, len(long) + 1))


def _long_name(long: dict[int, bytes]) -> str:
    # As a whole: a character of two units may be in two entries.
    text = b"".join(long[key] for key in sorted(long)).decode("utf-16-le", "replace")
    return text.partition("\0")[0].rstrip("\uffff")


def _decode(entry: bytes, name: str, first: int, at: int) -> FatEntry:
    high = struct.unpack_from("<H", entry, 20)[0]
    time, date, low, size = struct.unpack_from("<HHHI", entry, 22)
    return FatEntry(
        name, entry[:11], entry[11], high << 16 | low, size, _decode_time(time, date), first, at
    )


def _short_name(entry: bytes) -> str:
    stem, suffix = entry[:8], entry[8:11]
    if stem[0] == 0x05:
        stem = b"\xe5" + stem[1:]
    left, right = (part.decode("cp437").rstrip(" ") for part in (stem, suffix))
    if entry[12] & _LOWER_STEM:
        left = left.lower()
    if entry[12] & _LOWER_SUFFIX:
        right = right.lower()
    return f"{left}.{right}" if right else left


def _checksum(short: bytes) -> int:
    total = 0
    for byte in short:
        total = ((total & 1) << 7) + (total >> 1) + byte & 0xFF
    return total


def _decode_time(time: int, date: int) -> int:
    """Return a moment, taken for one in UTC; 0 if there is none such."""
    try:
        moment = datetime(
            1980 + (date >> 9), date >> 5 & 0xF, date & 0x1F,
            time >> 11, time >> 5 & 0x3F, (time & 0x1F) * 2, tzinfo=UTC,
        )  # fmt: skip
    except ValueError:
        return 0
    return int(moment.timestamp())
