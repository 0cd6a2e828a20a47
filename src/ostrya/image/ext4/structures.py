# SPDX-License-Identifier: Apache-2.0
"""Inodes, directories and extents of ext4 as bytes. Pure.

Everything is little-endian. Source: the kernel's documentation of ext4's data structures.
"""

from __future__ import annotations

import stat
import struct
from typing import TYPE_CHECKING

from ostrya.image.ext4.crc32c import crc32c
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BLOCK_BYTES = 4096
INODE_BYTES = 256
EXTENTS, IMMUTABLE = 0x80000, 0x10
ROOT_INODE = 2
# What of a link's target fits into the inode.
FAST_LINK_BYTES = 59
_EXTRA_BYTES = 32
_MOST_LINKS = 65000
_INODE = struct.Struct("<HHIIIIIHHIII60sIIIIHHHHHHHHIIIIIII")
_CHECKSUM_LOW, _CHECKSUM_HIGH = 0x7C, 0x82
ATTRIBUTES_AT = 128 + _EXTRA_BYTES
_ENTRY = struct.Struct("<IHBB")
_TAIL = struct.Struct("<IHBBI")
_TAIL_KIND = 0xDE
_KINDS = {stat.S_IFREG: 1, stat.S_IFDIR: 2, stat.S_IFLNK: 7}
_EXTENT_HEADER = struct.Struct("<HHHHI")
_EXTENT = struct.Struct("<IHHI")
_INDEX = struct.Struct("<IIHH")
_EXTENT_MAGIC = 0xF30A
# Of one extent, in blocks; more means something else.
MOST_RUN = 32768
_IN_INODE = 4
_IN_BLOCK = (BLOCK_BYTES - _EXTENT_HEADER.size) // _EXTENT.size


class Run(NamedTuple):
    """Blocks that follow one another, on the disk and in a file.

    Attributes:
        first: The first one on the disk.
        length: How many.
    """

    first: int
    length: int


class InodeFacts(NamedTuple):
    """What an inode says.

    Attributes:
        mode: Kind and permissions.
        uid: Owner.
        gid: Group.
        size: In bytes.
        links: How many names it has.
        blocks: How many blocks it takes, those for extents and attributes with it.
        flags: Such as `EXTENTS`.
        mtime_ns: When its content changed.
        timestamp: All its other times, in seconds.
        body: Extents, or the target of a link.
        attributes: What is behind the inode proper.
        attribute_block: Where other attributes are; 0 for nowhere.
    """

    mode: int
    uid: int
    gid: int
    size: int
    links: int
    blocks: int
    flags: int
    mtime_ns: int
    timestamp: int
    body: bytes
    attributes: bytes = b""
    attribute_block: int = 0


def inode_seed(seed: int, number: int) -> int:
    """Return what checksums of all that belongs to an inode begin with; its generation is 0."""
    return crc32c(struct.pack("<II", number, 0), seed)


def encode_inode(facts: InodeFacts, seed: int) -> bytes:
    """Return an inode.

    Args:
        facts: What it says.
        seed: Of its checksum, `inode_seed`.
    """
    seconds, nanoseconds = divmod(facts.mtime_ns, 1_000_000_000)
    sectors = facts.blocks * (BLOCK_BYTES // 512)
    links = facts.links
    if links > _MOST_LINKS and stat.S_ISDIR(facts.mode):
        # Nobody counts that many.
        links = 1
    data = bytearray(
        _INODE.pack(
            facts.mode, facts.uid & 0xFFFF, facts.size & 0xFFFFFFFF, facts.timestamp & 0xFFFFFFFF,
            facts.timestamp & 0xFFFFFFFF, seconds & 0xFFFFFFFF, 0, facts.gid & 0xFFFF, links,
            sectors & 0xFFFFFFFF, facts.flags, 0, facts.body, 0,
            facts.attribute_block & 0xFFFFFFFF, facts.size >> 32, 0, sectors >> 32,
            facts.attribute_block >> 32, facts.uid >> 16, facts.gid >> 16, 0, 0, _EXTRA_BYTES, 0,
            _extra(facts.timestamp, 0), _extra(seconds, nanoseconds), _extra(facts.timestamp, 0),
            facts.timestamp & 0xFFFFFFFF, _extra(facts.timestamp, 0), 0, 0,
        )
    )  # fmt: skip
    data += facts.attributes.ljust(INODE_BYTES - len(data), b"\0")
    checksum = crc32c(data, seed)
    struct.pack_into("<H", data, _CHECKSUM_LOW, checksum & 0xFFFF)
    struct.pack_into("<H", data, _CHECKSUM_HIGH, checksum >> 16)
    return bytes(data)


def _extra(seconds: int, nanoseconds: int) -> int:
    # Two bits for the years after 2038; the rest are nanoseconds.
    signed = (seconds & 0xFFFFFFFF) - (1 << 32 if seconds & 0x80000000 else 0)
    return (seconds - signed) >> 32 & 3 | nanoseconds << 2


# -- directories


def directory_blocks(
    entries: Sequence[tuple[str, int, int]], number: int, parent: int, seed: int
) -> Iterator[bytes]:
    """Yield the blocks of a directory.

    Args:
        entries: Names, inodes and modes of what is in it.
        number: Its own inode.
        parent: That of the directory above.
        seed: Of checksums, `inode_seed`.
    """
    # The two that lead to itself and upwards come first.
    ends = [(b".", number, 2), (b"..", parent, 2)]
    listed = [
        (name.encode("utf-8", "surrogateescape"), inode, _KINDS[stat.S_IFMT(mode)])
        for name, inode, mode in entries
    ]
    room = BLOCK_BYTES - _TAIL.size
    block, last = bytearray(), 0
    for name, inode, kind in [*ends, *listed]:
        size = entry_bytes(len(name))
        if len(block) + size > room:
            yield _finished(block, last, seed)
            block, last = bytearray(), 0
        last = len(block)
        block += _ENTRY.pack(inode, size, len(name), kind) + name
        block += bytes(last + size - len(block))
    yield _finished(block, last, seed)


def entry_bytes(name_bytes: int) -> int:
    """Return how much an entry of a directory takes."""
    return (_ENTRY.size + name_bytes + 3) & ~3


def count_directory_blocks(name_bytes: Sequence[int]) -> int:
    """Return how many blocks a directory takes with names of such lengths."""
    room, count, used = BLOCK_BYTES - _TAIL.size, 1, 0
    for size in map(entry_bytes, (1, 2, *name_bytes)):
        if used + size > room:
            count, used = count + 1, 0
        used += size
    return count


def _finished(block: bytearray, last: int, seed: int) -> bytes:
    room = BLOCK_BYTES - _TAIL.size
    # The last entry takes what is left.
    struct.pack_into("<H", block, last + 4, room - last)
    block += bytes(room - len(block))
    checksum = crc32c(block, seed)
    return bytes(block) + _TAIL.pack(0, _TAIL.size, 0, _TAIL_KIND, checksum)


# -- extents


def count_extents(runs: Sequence[Run]) -> int:
    """Return how many extents it takes to say where a file is."""
    return sum(-(-run.length // MOST_RUN) for run in runs)


def count_extent_blocks(extents: int) -> int:
    """Return how many blocks extents need beside the inode."""
    return 0 if extents <= _IN_INODE else -(-extents // _IN_BLOCK)


def encode_extents(
    runs: Sequence[Run], blocks: Sequence[int], seed: int
) -> tuple[bytes, list[bytes]]:
    """Return where the blocks of a file are, for its inode and for blocks of its own.

    Args:
        runs: The blocks.
        blocks: As many for extents as `count_extent_blocks` says.
        seed: Of checksums, `inode_seed`.
    """
    found, at = [], 0
    for run in runs:
        for first in range(0, run.length, MOST_RUN):
            count, place = min(MOST_RUN, run.length - first), run.first + first
            found.append((at, _EXTENT.pack(at, count, place >> 32, place & 0xFFFFFFFF)))
            at += count
    if not blocks:
        header = _EXTENT_HEADER.pack(_EXTENT_MAGIC, len(found), _IN_INODE, 0, 0)
        return (header + b"".join(entry for _, entry in found)).ljust(60, b"\0"), []
    leaves, indexes = [], b""
    for number, place in enumerate(blocks):
        part = found[number * _IN_BLOCK : (number + 1) * _IN_BLOCK]
        leaf = _EXTENT_HEADER.pack(_EXTENT_MAGIC, len(part), _IN_BLOCK, 0, 0)
        leaf += b"".join(entry for _, entry in part)
        leaf = leaf.ljust(BLOCK_BYTES - 4, b"\0")
        leaves.append(leaf + struct.pack("<I", crc32c(leaf, seed)))
        indexes += _INDEX.pack(part[0][0], place & 0xFFFFFFFF, place >> 32, 0)
    header = _EXTENT_HEADER.pack(_EXTENT_MAGIC, len(blocks), _IN_INODE, 1, 0)
    return (header + indexes).ljust(60, b"\0"), leaves


MOST_EXTENT_BLOCKS = _IN_INODE
