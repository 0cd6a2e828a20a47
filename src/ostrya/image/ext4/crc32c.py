# SPDX-License-Identifier: Apache-2.0
"""CRC-32C, Castagnoli's polynomial, as ext4 uses it: without a last inversion. Pure.

Two bytes are looked up at once; zeros at the end, of which there are many, are skipped by what they
do to each bit.
"""

from __future__ import annotations

from functools import cache

_POLYNOMIAL = 0x82F63B78
INITIAL = 0xFFFFFFFF


@cache
def _words() -> list[int]:
    """Return what two bytes do to the checksum."""
    found = []
    for value in range(1 << 16):
        crc = value
        for _ in range(16):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
        found.append(crc)
    return found


@cache
def _skip(power: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """Return what 2 ** power zero bytes do, for each of the checksum's four bytes."""
    if power == 1:
        table = _words()

        def advance(crc: int) -> int:
            return table[crc & 0xFFFF] ^ crc >> 16
    else:
        half = _skip(power - 1)

        def advance(crc: int) -> int:
            return _apply(half, _apply(half, crc))

    bits = [advance(1 << bit) for bit in range(32)]
    tables = []
    for byte in range(4):
        found = [0]
        for bit in range(8):
            found += [value ^ bits[byte * 8 + bit] for value in found]
        tables.append(found)
    first, second, third, fourth = tables
    return first, second, third, fourth


def _apply(tables: tuple[list[int], list[int], list[int], list[int]], crc: int) -> int:
    first, second, third, fourth = tables
    return first[crc & 255] ^ second[crc >> 8 & 255] ^ third[crc >> 16 & 255] ^ fourth[crc >> 24]


def crc32c(data: bytes | bytearray | memoryview, crc: int = INITIAL) -> int:
    """Continue a checksum over some bytes."""
    whole = bytes(data)
    if len(whole) & 1:
        # One byte: what a zero after it does is not wanted.
        head, whole = whole[0], whole[1:]
        crc ^= head
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
    kept = whole.rstrip(b"\0")
    if len(kept) & 1:
        kept += b"\0"
    table = _words()
    for word in memoryview(kept).cast("H"):
        crc = table[(crc ^ word) & 0xFFFF] ^ crc >> 16
    rest = len(whole) - len(kept)
    power = 1
    while rest >> power:
        if rest >> power & 1:
            crc = _apply(_skip(power), crc)
        power += 1
    return crc
