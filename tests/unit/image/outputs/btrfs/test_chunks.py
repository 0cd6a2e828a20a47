# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import pairwise

from ostrya.image.outputs.btrfs.chunks import (
    DATA_AT,
    SUPERBLOCKS,
    Allocator,
    data_allocator,
    data_chunks,
    metadata_chunk,
)

MIB, GIB = 1 << 20, 1 << 30


def test_content_lies_around_superblocks_within_chunks():
    allocator = data_allocator()
    places = [one for size in (MIB, 70 * MIB, 2 * GIB, 4096) for one in allocator.take(size)]
    assert sum(size for _, size in places) == MIB + 70 * MIB + 2 * GIB + 4096
    end = DATA_AT
    for start, size in places:
        assert start >= end
        end = start + size
        assert all(end <= block or start >= block + (64 << 10) for block in SUPERBLOCKS)
        assert (start - DATA_AT) // GIB == (end - 1 - DATA_AT) // GIB
        assert size <= 128 * MIB
    chunks = data_chunks(allocator.end)
    assert chunks[0].start == DATA_AT
    assert all(one.start + one.size == other.start for one, other in pairwise(chunks))
    assert chunks[-1].start + chunks[-1].size >= allocator.end
    assert all(one.size % (64 << 10) == 0 for one in chunks)


def test_blocks_of_trees_are_whole():
    allocator = Allocator(64 * MIB - 20_480)
    assert [allocator.take_block() for _ in range(3)] == [
        64 * MIB - 20_480, 64 * MIB + 65_536, 64 * MIB + 65_536 + 16_384,
    ]  # fmt: skip


def test_metadata_have_room_to_grow():
    assert metadata_chunk(0, 100).size == 8 * MIB
    assert metadata_chunk(0, 100 * MIB).size == 125 * MIB


def test_no_content_needs_no_chunk():
    assert data_chunks(data_allocator().end) == []
