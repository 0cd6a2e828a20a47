# SPDX-License-Identifier: Apache-2.0
"""Extended attributes of ext4 as bytes: behind an inode, or in a block of their own. Pure."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ostrya.image.errors import SourceError
from ostrya.image.ext4.crc32c import crc32c
from ostrya.image.ext4.structures import ATTRIBUTES_AT, BLOCK_BYTES, INODE_BYTES
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.formats.xattrs import Xattrs

_MAGIC = 0xEA020000
_ENTRY = struct.Struct("<BBHIII")
_HEADER = struct.Struct("<IIIII12x")
_END = bytes(4)
# The longest first: those of access lists have no name of their own.
_PREFIXES = (
    (b"system.posix_acl_default", 3),
    (b"system.posix_acl_access", 2),
    (b"security.", 6),
    (b"trusted.", 4),
    (b"system.", 7),
    (b"user.", 1),
)
_ACL = {2, 3}
_ACL_ENTRY = struct.Struct("<HHI")
_ACL_OF_SOMEBODY = (0x02, 0x08)
_MASK = 0xFFFFFFFF


class Attribute(NamedTuple):
    """One attribute, in the order in which they are kept.

    Attributes:
        prefix: Which one its name has, by number.
        length: Of the rest of its name.
        name: That rest.
        value: Its value, as it is on the disk.
    """

    prefix: int
    length: int
    name: bytes
    value: bytes


def split_attributes(xattrs: Xattrs) -> tuple[tuple[Attribute, ...], tuple[Attribute, ...]]:
    """Return which attributes go behind the inode, and which into a block.

    Raises:
        SourceError: There are more than fit, or one that ext4 cannot have.
    """
    all_of_them = tuple(sorted(_attribute(name.rstrip(b"\0"), value) for name, value in xattrs))
    if _size(all_of_them) <= INODE_BYTES - ATTRIBUTES_AT - 4:
        return all_of_them, ()
    if _size(all_of_them) > BLOCK_BYTES - _HEADER.size:
        raise SourceError("its extended attributes are larger than ext4 can hold")
    return (), all_of_them


def encode_in_inode(attributes: tuple[Attribute, ...]) -> bytes:
    """Return what is behind an inode."""
    if not attributes:
        return b""
    room = INODE_BYTES - ATTRIBUTES_AT - 4
    return struct.pack("<I", _MAGIC) + _encode(attributes, room, 0, hashed=False)


def encode_block(attributes: tuple[Attribute, ...], place: int, seed: int) -> bytes:
    """Return a block of attributes.

    Args:
        attributes: Which.
        place: The block's number.
        seed: Of the file system's checksums.
    """
    room = BLOCK_BYTES - _HEADER.size
    entries = _encode(attributes, room, _HEADER.size, hashed=True)
    total = 0
    for one in attributes:
        total = (total << 16 ^ total >> 16 ^ _hash(one)) & _MASK
    blank = _HEADER.pack(_MAGIC, 1, 1, total, 0) + entries
    checksum = crc32c(blank, crc32c(struct.pack("<Q", place), seed))
    return _HEADER.pack(_MAGIC, 1, 1, total, checksum) + entries


def _attribute(name: bytes, value: bytes) -> Attribute:
    for prefix, index in _PREFIXES:
        if name.startswith(prefix):
            rest = name[len(prefix) :]
            stored = _acl(value) if index in _ACL else value
            return Attribute(index, len(rest), rest, stored)
    raise SourceError(f"ext4 has no extended attribute {name.decode(errors='replace')}")


def _acl(value: bytes) -> bytes:
    """Return an access list as it is on the disk: only those of somebody say whose they are."""
    if len(value) < 4 or len(value) % 8 != 4 or struct.unpack_from("<I", value)[0] != 2:
        raise SourceError("an access list is damaged")
    found = struct.pack("<I", 1)
    for tag, rights, who in _ACL_ENTRY.iter_unpack(value[4:]):
        found += struct.pack("<HH", tag, rights)
        if tag in _ACL_OF_SOMEBODY:
            found += struct.pack("<I", who)
    return found


def _padded(size: int) -> int:
    return (size + 3) & ~3


def _size(attributes: tuple[Attribute, ...]) -> int:
    return len(_END) + sum(
        _ENTRY.size + _padded(one.length) + _padded(len(one.value)) for one in attributes
    )


def _encode(attributes: tuple[Attribute, ...], room: int, shift: int, *, hashed: bool) -> bytes:
    """Return entries from the front and values from the back of some room."""
    front, back = b"", b""
    for one in attributes:
        back = one.value.ljust(_padded(len(one.value)), b"\0") + back
        offset = shift + room - len(back) if one.value else 0
        hash_value = _hash(one) if hashed else 0
        front += _ENTRY.pack(one.length, one.prefix, offset, 0, len(one.value), hash_value)
        front += one.name.ljust(_padded(one.length), b"\0")
    return front + bytes(room - len(front) - len(back)) + back


def _hash(one: Attribute) -> int:
    found = 0
    for byte in one.name:
        found = (found << 5 ^ found >> 27 ^ byte) & _MASK
    padded = one.value.ljust(_padded(len(one.value)), b"\0")
    for (word,) in struct.iter_unpack("<I", padded):
        found = (found << 16 ^ found >> 16 ^ word) & _MASK
    return found
