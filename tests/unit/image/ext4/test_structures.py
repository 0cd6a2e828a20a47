# SPDX-License-Identifier: Apache-2.0
import struct

from ostrya.image.ext4 import structures
from ostrya.image.ext4.structures import (
    BLOCK_BYTES,
    MOST_RUN,
    InodeFacts,
    Run,
    count_directory_blocks,
    count_extent_blocks,
    count_extents,
    directory_blocks,
    encode_extents,
    encode_inode,
)


def test_an_inode_has_its_size_and_large_numbers_in_two_parts():
    facts = InodeFacts(
        0o100644,
        70000,
        80000,
        5 << 32,
        1,
        3,
        0x80000,
        1_700_000_000_000_000_005,
        1 << 32,
        bytes(60),
    )
    data = encode_inode(facts, 0)
    assert len(data) == 256
    assert struct.unpack_from("<HH", data) == (0o100644, 70000 & 0xFFFF)
    assert struct.unpack_from("<HH", data, 0x78) == (70000 >> 16, 80000 >> 16)
    assert struct.unpack_from("<I", data, 0x6C) == (5,)
    assert struct.unpack_from("<I", data, 0x10) == (1_700_000_000,)
    assert struct.unpack_from("<I", data, 0x88) == (5 << 2,)
    # After 2106 by 32 bits: the rest is behind.
    assert struct.unpack_from("<I", data, 0x84) == (1,)


def test_a_directory_with_more_links_than_can_be_counted_says_one():
    facts = InodeFacts(0o40755, 0, 0, 0, 70000, 0, 0, 0, 0, bytes(60))
    assert struct.unpack_from("<H", encode_inode(facts, 0), 0x1A) == (1,)


def test_directories_are_as_long_as_they_are_said_to_be():
    for count in (0, 1, 100, 300, 2000):
        names = [f"{number:08}" for number in range(count)]
        entries = [(name, 12, 0o100644) for name in names]
        blocks = list(directory_blocks(entries, 2, 2, 0))
        assert len(blocks) == count_directory_blocks([8] * count)
        found = []
        for block in blocks:
            assert len(block) == BLOCK_BYTES
            at = 0
            while at < BLOCK_BYTES - 12:
                inode, size, length, _ = struct.unpack_from("<IHBB", block, at)
                found.append(block[at + 8 : at + 8 + length].decode())
                assert inode in {2, 12}
                at += size
            assert at == BLOCK_BYTES - 12
        assert found == [".", "..", *names]


def test_extents_in_the_inode_and_beside_it():
    few = [Run(100, 5), Run(200, MOST_RUN + 1)]
    assert count_extents(few) == 3
    body, leaves = encode_extents(few, [], 0)
    assert (len(body), leaves) == (60, [])
    assert struct.unpack_from("<HHHH", body) == (0xF30A, 3, 4, 0)
    assert struct.unpack_from("<IHHI", body, 12 + 24) == (5 + MOST_RUN, 1, 0, 200 + MOST_RUN)
    many = [Run(number * 10, 1) for number in range(700)]
    needed = count_extent_blocks(count_extents(many))
    assert needed == 3
    body, leaves = encode_extents(many, [7, 8, 9], 0)
    assert struct.unpack_from("<HHHH", body) == (0xF30A, 3, 4, 1)
    assert [len(leaf) for leaf in leaves] == [BLOCK_BYTES] * 3
    assert struct.unpack_from("<II", body, 12 + 12)[1] == 8
    assert structures.MOST_EXTENT_BLOCKS == 4
