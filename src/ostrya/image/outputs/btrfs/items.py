# SPDX-License-Identifier: Apache-2.0
"""Items of a btrfs as bytes, all of them little-endian. Pure.

Source: the on-disk format in btrfs's documentation; the kernel's include/uapi/linux/btrfs_tree.h.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from uuid import UUID

GENERATION = 1
SECTOR, NODE = 4096, 16384
STRIPE = 64 << 10

# Trees, and what else has a number.
ROOT_TREE, EXTENT_TREE, CHUNK_TREE, DEV_TREE, FS_TREE = 1, 2, 3, 4, 5
ROOT_DIR, CSUM_TREE = 6, 7
RELOC_TREE, EXTENT_CSUM = (1 << 64) - 9, (1 << 64) - 10
FIRST_INODE = FIRST_CHUNK = 256
DEVICE = 1

# Kinds of items.
INODE_ITEM, INODE_REF, XATTR_ITEM, DIR_ITEM, DIR_INDEX = 1, 12, 24, 84, 96
EXTENT_DATA, CSUM_ITEM, ROOT_ITEM = 108, 128, 132
EXTENT_ITEM, METADATA_ITEM, BLOCK_GROUP = 168, 169, 192
DEV_EXTENT, DEV_ITEM, CHUNK_ITEM = 204, 216, 228

# Kinds of names.
KIND_FILE, KIND_DIR, KIND_LINK, KIND_XATTR = 1, 2, 7, 8
IMMUTABLE = 1 << 6
# What chunks hold.
DATA, SYSTEM, METADATA = 1, 2, 4
_TREE_BLOCK, _IN_DATA = 2, 1
_TREE_REF, _DATA_REF = 176, 178
_ROOT_INODE_FLAGS = 1 << 31
_HASH_SEED = 0xFFFFFFFE
_POLYNOMIAL = 0x82F63B78

Key = tuple[int, int, int]
_KEY = struct.Struct("<QBQ")
_TIME = struct.Struct("<QI")
_INODE = struct.Struct("<QQQQQIIIIQQQ32x")


class InodeFacts(NamedTuple):
    """What an inode says.

    Attributes:
        size: In bytes; of a directory, of its names twice.
        nbytes: Which its content takes.
        links: How many names it has.
        uid: Owner.
        gid: Group.
        mode: With the bits of its type.
        flags: Such as `IMMUTABLE`.
        mtime: When it was changed, in seconds since 1970 UTC.
        ctime: When it was made, and anything else about it.
    """

    size: int
    nbytes: int
    links: int
    uid: int
    gid: int
    mode: int
    flags: int = 0
    mtime: int = 0
    ctime: int = 0


def encode_key(key: Key) -> bytes:
    """Return a key."""
    return _KEY.pack(*key)


def inode(facts: InodeFacts) -> bytes:
    """Return an inode."""
    fields = _INODE.pack(
        GENERATION, GENERATION, facts.size, facts.nbytes, 0, facts.links, facts.uid, facts.gid,
        facts.mode, 0, facts.flags, 0,
    )  # fmt: skip
    times = (facts.ctime, facts.ctime, facts.mtime, facts.ctime)
    return fields + b"".join(_TIME.pack(time, 0) for time in times)


def inode_ref(index: int, name: bytes) -> bytes:
    """Return where in its directory an inode has a name."""
    return struct.pack("<QH", index, len(name)) + name


def dir_entry(key: Key, kind: int, name: bytes, data: bytes = b"") -> bytes:
    """Return a name in a directory, or an extended attribute."""
    generation = GENERATION if kind != KIND_XATTR else 0
    head = struct.pack("<QHHB", generation, len(data), len(name), kind)
    return encode_key(key) + head + name + data


def inline_extent(data: bytes) -> bytes:
    """Return content that is in the tree itself."""
    return struct.pack("<QQBBHB", GENERATION, len(data), 0, 0, 0, 0) + data


def regular_extent(start: int, size: int) -> bytes:
    """Return content that is in a chunk of data."""
    head = struct.pack("<QQBBHB", GENERATION, size, 0, 0, 0, 1)
    return head + struct.pack("<QQQQ", start, size, 0, size)


def data_extent(owner: int, offset: int) -> bytes:
    """Return what the tree of extents says of content: whose it is."""
    head = struct.pack("<QQQ", 1, GENERATION, _IN_DATA)
    return head + struct.pack("<BQQQI", _DATA_REF, FS_TREE, owner, offset, 1)


def tree_extent(owner: int) -> bytes:
    """Return what the tree of extents says of a block of a tree."""
    return struct.pack("<QQQBQ", 1, GENERATION, _TREE_BLOCK, _TREE_REF, owner)


def block_group(used: int, kind: int) -> bytes:
    """Return how much of a chunk is used."""
    return struct.pack("<QQQ", used, FIRST_CHUNK, kind)


def chunk(start: int, size: int, kind: int, device: UUID) -> bytes:
    """Return a chunk, which is where its number says, on the only device."""
    head = struct.pack("<QQQQIIIHH", size, EXTENT_TREE, STRIPE, kind, STRIPE, STRIPE, SECTOR, 1, 1)
    return head + struct.pack("<QQ", DEVICE, start) + device.bytes


def dev_extent(start: int, size: int, chunk_tree: UUID) -> bytes:
    """Return what a place on the device is taken by."""
    return struct.pack("<QQQQ", CHUNK_TREE, FIRST_CHUNK, start, size) + chunk_tree.bytes


def dev_item(total: int, used: int, device: UUID, file_system: UUID) -> bytes:
    """Return the device."""
    head = struct.pack(
        "<QQQIIIQQQIBB", DEVICE, total, used, SECTOR, SECTOR, SECTOR, 0, 0, 0, 0, 0, 0
    )
    return head + device.bytes + file_system.bytes


def root_item(  # fields of an item
    start: int, level: int, blocks: int, folder: int, uuid: bytes, time: int
) -> bytes:
    """Return where a tree begins.

    Args:
        start: Where its uppermost block is.
        level: The level of that.
        blocks: How many it has.
        folder: The inode of its root directory; 0 for a tree without files.
        uuid: Its own; zeros for none.
        time: When it was made, in seconds since 1970 UTC.
    """
    flags = _ROOT_INODE_FLAGS if folder else 0
    fields = _INODE.pack(GENERATION, 0, 3, NODE, 0, 1, 0, 0, 0o40755, 0, flags, 0)
    head = fields + bytes(4 * _TIME.size)
    numbers = struct.pack("<QQQQQQQI", GENERATION, folder, start, 0, blocks * NODE, 0, 0, 1)
    times = _TIME.pack(time, 0) * 2 + bytes(2 * _TIME.size)
    versions = struct.pack("<QQQQ", GENERATION if folder else 0, 0, 0, 0)
    return (
        head + numbers + bytes(_KEY.size) + struct.pack("<BBQ", 0, level, GENERATION)
        + uuid + bytes(32) + versions + times + bytes(64)
    )  # fmt: skip


def name_hash(name: bytes) -> int:
    """Return what names are found by: a CRC-32C that is begun and ended otherwise."""
    value = _HASH_SEED
    for byte in name:
        value = _TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value


def _table() -> list[int]:
    found = []
    for number in range(256):
        value = number
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        found.append(value)
    return found


_TABLE = _table()
