# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import struct
from uuid import UUID

import pytest

from ostrya.image.errors import OutputError
from ostrya.image.outputs.btrfs.trees import MOST_ITEM, ROOM, Identity, encode_tree, shape_tree

IDENTITY = Identity(UUID(int=1), UUID(int=2))


def encode(found):
    shape = shape_tree([len(data) for _, data in found])
    places = [(1 << 20) + 16384 * number for number in range(shape.blocks)]
    return shape, dict(zip(places, encode_tree(found, shape, places, 5, IDENTITY), strict=True))


def read(blocks, place):
    """All items below a block, as a reader finds them."""
    block = blocks[place]
    assert block[:32] == hashlib.sha256(block[32:]).digest()
    assert struct.unpack_from("<Q", block, 48)[0] == place
    count, level = struct.unpack_from("<IB", block, 96)
    for number in range(count):
        if level:
            *key, child, _ = struct.unpack_from("<QBQQQ", block, 101 + 33 * number)
            below = list(read(blocks, child))
            assert below[0][0] == tuple(key)
            yield from below
        else:
            *key, at, size = struct.unpack_from("<QBQII", block, 101 + 25 * number)
            yield tuple(key), block[101 + at : 101 + at + size]


@pytest.mark.parametrize("count", [0, 1, 70, 5000, 40_000])
def test_all_items_are_found_in_their_order(count):
    found = [((number, 1, 0), bytes([number & 0xFF]) * (number % 300)) for number in range(count)]
    shape, blocks = encode(found)
    assert shape.levels[-1] == 1
    assert list(read(blocks, max(blocks))) == found


def test_items_of_a_leaf_lie_without_gaps_from_its_end():
    _, blocks = encode([((number, 1, 0), b"x" * number) for number in range(50)])
    (block,) = blocks.values()
    end = ROOM
    for number in range(50):
        at, size = struct.unpack_from("<II", block, 101 + 25 * number + 17)
        assert at + size == end
        end = at


def test_an_item_that_fits_nowhere_is_refused():
    assert shape_tree([MOST_ITEM]).blocks == 1
    with pytest.raises(OutputError, match="no room for an item"):
        shape_tree([MOST_ITEM + 1])
