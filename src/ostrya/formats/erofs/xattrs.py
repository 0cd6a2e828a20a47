# SPDX-License-Identifier: Apache-2.0
"""Extended attributes as EROFS keeps them: beside each inode, or once for all that share one.

::

    beside an inode, if it has any
    offset  size
    0       4     name filter: bit set unless some name hashes to it
    4       1     number of shared attributes
    5       7     zeros
    12      4 n   where each shared one is: its offset from the start of the block that the
                  shared area begins in, divided by 4
    …             the others, as entries

    entry, here and in the shared area; filled with zeros to a multiple of 4
    0       1     length of the name without its prefix
    1       1     which prefix: 0 none, 1 "user.", 2 "system.posix_acl_access",
                  3 "system.posix_acl_default", 4 "trusted.", 6 "security."
    2       2     length of the value
    4       …     the rest of the name, the value

An attribute is shared if two files have it with the same value, but no file shares more than
128. The shared area is sorted from the last to the first, by name, length and value.

Source: the kernel's fs/erofs documentation; the order is that of libcomposefs.
"""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

from ostrya.formats.erofs.xxh32 import xxh32

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.formats.xattrs import Xattrs

BODY_HEADER_SIZE = 12
_FILTER_SEED = 0x25BBE08F
_FILTER_ALL = 0xFFFFFFFF
_MAX_SHARED_PER_FILE = 0x80
_PREFIXES = (
    (b"user.", 1),
    (b"system.posix_acl_access", 2),
    (b"system.posix_acl_default", 3),
    (b"trusted.", 4),
    (b"security.", 6),
)


def split_name(name: bytes) -> tuple[int, bytes]:
    """Return the number of a name's prefix, and what follows the prefix."""
    for prefix, number in _PREFIXES:
        if name.startswith(prefix):
            return number, name[len(prefix) :]
    return 0, name


def filter_bit(name: bytes) -> int:
    """Return the bit of the name filter that a name hashes to."""
    number, rest = split_name(name)
    return 1 << (xxh32(rest, _FILTER_SEED + number) & 31)


def encode_entry(name: bytes, value: bytes) -> bytes:
    """Return one attribute as an entry."""
    number, rest = split_name(name)
    entry = pack("<BBH", len(rest), number, len(value)) + rest + value
    return entry + bytes(-len(entry) % 4)


class XattrTable:
    """The shared area of an image, and the encoder of what stands beside each inode.

    Attributes:
        area: The shared entries, end to end.
    """

    __slots__ = ("_bits", "_offsets", "area")

    def __init__(self, xattrs_of_all: Iterable[Xattrs]) -> None:
        uses: dict[tuple[bytes, bytes], int] = {}
        for xattrs in xattrs_of_all:
            for pair in xattrs:
                uses[pair] = uses.get(pair, 0) + 1
        shared = [pair for pair, count in uses.items() if count > 1]
        shared.sort(key=lambda pair: (pair[0], len(pair[1]), pair[1]), reverse=True)
        self._offsets: dict[tuple[bytes, bytes], int] = {}
        self._bits: dict[bytes, int] = {}
        area = bytearray()
        for pair in shared:
            self._offsets[pair] = len(area)
            area += encode_entry(*pair)
        self.area = bytes(area)

    def body_size(self, xattrs: Xattrs) -> int:
        """Return the bytes that a file's attributes take beside its inode."""
        if not xattrs:
            return 0
        shared, own = self._split(xattrs)
        return BODY_HEADER_SIZE + 4 * len(shared) + sum(len(encode_entry(*pair)) for pair in own)

    def encode_body(self, xattrs: Xattrs, area_start: int) -> bytes:
        """Return what stands beside an inode, for a shared area at that offset in the image."""
        if not xattrs:
            return b""
        shared, own = self._split(xattrs)
        first = area_start % 4096
        name_filter = _FILTER_ALL
        for name, _ in xattrs:
            name_filter &= ~self._bit(name)
        body = bytearray(pack("<IB7x", name_filter, len(shared)))
        for offset in shared:
            body += pack("<I", (first + offset) // 4)
        for pair in own:
            body += encode_entry(*pair)
        return bytes(body)

    def _split(self, xattrs: Xattrs) -> tuple[list[int], list[tuple[bytes, bytes]]]:
        """Return offsets of the shared ones, and the others."""
        shared: list[int] = []
        own: list[tuple[bytes, bytes]] = []
        for pair in xattrs:
            offset = self._offsets.get(pair)
            if offset is None or len(shared) == _MAX_SHARED_PER_FILE:
                own.append(pair)
            else:
                shared.append(offset)
        return shared, own

    def _bit(self, name: bytes) -> int:
        bit = self._bits.get(name)
        if bit is None:
            bit = self._bits[name] = filter_bit(name)
        return bit
