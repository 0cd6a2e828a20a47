# SPDX-License-Identifier: Apache-2.0
"""Items of a tree into blocks: leaves, and nodes above them. Pure.

::

    block    32 checksum  16 file system  u64 place  u64 flags  16 tree of chunks
             u64 generation  u64 owner  u32 items  u8 level
    leaf     keys, each with where its item is; the items from the end on
    node     keys, each with the place and the generation of the block below it

Source: the on-disk format in btrfs's documentation.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

from ostrya.image.errors import OutputError
from ostrya.image.outputs.btrfs.items import GENERATION, NODE, Key, encode_key
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

_HEADER = struct.Struct("<32x16sQQ16sQQIB")
_ITEM_BYTES, _POINTER_BYTES = 25, 33
ROOM = NODE - _HEADER.size
MOST_ITEM = ROOM - _ITEM_BYTES
_FAN = ROOM // _POINTER_BYTES
# It was written, and counts references as they are counted since 2009.
_FLAGS = 1 | 1 << 56

Item = tuple[Key, bytes]


class Identity(NamedTuple):
    """What is in the head of every block.

    Attributes:
        file_system: Its UUID.
        chunk_tree: The UUID of its tree of chunks.
    """

    file_system: UUID
    chunk_tree: UUID


class TreeShape(NamedTuple):
    """How many blocks a tree has.

    Attributes:
        leaves: How many items each leaf has.
        levels: How many blocks each level has, leaves first.
    """

    leaves: tuple[int, ...]
    levels: tuple[int, ...]

    @property
    def blocks(self) -> int:
        """How many it has in all."""
        return sum(self.levels)

    @property
    def level(self) -> int:
        """The level of its uppermost block."""
        return len(self.levels) - 1

    def block_levels(self) -> Iterator[int]:
        """Yield the level of each of its blocks, in their order."""
        for level, count in enumerate(self.levels):
            for _ in range(count):
                yield level


def shape_tree(sizes: Sequence[int]) -> TreeShape:
    """Say which blocks a tree has.

    Args:
        sizes: Of its items, in the order of their keys.

    Raises:
        OutputError: One does not fit into a block.
    """
    leaves, count, used = [], 0, 0
    for size in sizes:
        if size > MOST_ITEM:
            raise OutputError(f"a btrfs has no room for an item of {size} bytes")
        if used + _ITEM_BYTES + size > ROOM:
            leaves.append(count)
            count = used = 0
        count, used = count + 1, used + _ITEM_BYTES + size
    leaves.append(count)
    levels = [len(leaves)]
    while levels[-1] > 1:
        levels.append(-(-levels[-1] // _FAN))
    return TreeShape(tuple(leaves), tuple(levels))


def encode_tree(
    items: Sequence[Item], shape: TreeShape, places: Sequence[int], owner: int, identity: Identity
) -> Iterator[bytes]:
    """Yield the blocks of a tree.

    Args:
        items: In the order of their keys.
        shape: As `shape_tree` says.
        places: Where its blocks go, leaves first; the last one is the uppermost.
        owner: The number of the tree.
        identity: What is in the head of every block.
    """
    at = 0
    firsts: list[tuple[Key, int]] = []
    for place, count in zip(places, shape.leaves, strict=False):
        below = items[at : at + count]
        firsts.append((below[0][0] if below else (0, 0, 0), place))
        yield _block(_leaf(below), len(below), 0, (place, owner), identity)
        at += count
    begin = len(shape.leaves)
    for level, count in enumerate(shape.levels[1:], 1):
        above = []
        for number in range(count):
            place = places[begin + number]
            children = firsts[number * _FAN : (number + 1) * _FAN]
            above.append((children[0][0], place))
            body = b"".join(
                encode_key(key) + struct.pack("<QQ", child, GENERATION) for key, child in children
            )
            yield _block(body, len(children), level, (place, owner), identity)
        firsts, begin = above, begin + count


def _leaf(items: Sequence[Item]) -> bytes:
    heads, end = [], ROOM
    for key, data in items:
        end -= len(data)
        heads.append(encode_key(key) + struct.pack("<II", end, len(data)))
    head = b"".join(heads)
    tail = b"".join(data for _, data in reversed(items))
    return head + bytes(ROOM - len(head) - len(tail)) + tail


def _block(
    body: bytes, count: int, level: int, whose: tuple[int, int], identity: Identity
) -> bytes:
    place, owner = whose
    head = _HEADER.pack(
        identity.file_system.bytes, place, _FLAGS, identity.chunk_tree.bytes, GENERATION, owner,
        count, level,
    )  # fmt: skip
    return with_checksum((head + body).ljust(NODE, b"\0"))


def with_checksum(block: bytes) -> bytes:
    """Return a block with its checksum, which comes before all else."""
    return hashlib.sha256(block[32:]).digest() + block[32:]
