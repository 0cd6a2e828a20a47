# SPDX-License-Identifier: Apache-2.0
"""Structures and sizes."""

from __future__ import annotations

import pytest

from ostrya.formats.erofs.layout import (
    COMPACT_INODE,
    COMPACT_INODE_SIZE,
    DIRENT,
    DIRENT_SIZE,
    EXTENDED_INODE,
    EXTENDED_INODE_SIZE,
    INODES_OFFSET,
    align,
    chunk_bits,
    chunk_count,
    encode_head,
)


def test_structures_have_the_sizes_of_the_format():
    assert COMPACT_INODE.size == COMPACT_INODE_SIZE == 32
    assert EXTENDED_INODE.size == EXTENDED_INODE_SIZE == 64
    assert DIRENT.size == DIRENT_SIZE == 12


def test_the_head_ends_where_inodes_begin():
    head = encode_head(
        version=1,
        has_acl=True,
        root_slot=36,
        inodes=258,
        mtime=(-1, 7),
        blocks=4,
        shared_block=3,
    )
    assert len(head) == INODES_OFFSET
    assert head[:16].hex() == "9a6278d0" + "01000000" * 3
    assert head[1024:1028].hex() == "e2e1f5e0"
    # A time before the epoch is a negative number of 64 bits.
    assert head[1048:1056] == b"\xff" * 8


@pytest.mark.parametrize(
    ("size", "bits", "count"),
    [
        (1, 0, 1),
        (4096, 0, 1),
        (4097, 1, 1),
        (8193, 2, 1),
        (1 << 43, 31, 1),
        ((1 << 43) + 1, 31, 2),
        (1 << 53, 31, 1024),
    ],
)
def test_chunks_are_as_large_as_they_may(size, bits, count):
    assert (chunk_bits(size), chunk_count(size)) == (bits, count)


def test_align():
    assert [align(n, 32) for n in (0, 1, 32, 33)] == [0, 32, 32, 64]
