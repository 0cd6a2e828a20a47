# SPDX-License-Identifier: Apache-2.0
"""What two files have in common."""

from __future__ import annotations

import random

import pytest

from ostrya.delta.rollsum import find_common_ranges


def common(old: bytes, new: bytes) -> list:
    found = find_common_ranges(memoryview(old), memoryview(new))
    done = 0
    for new_at, old_at, size in found:
        assert new_at >= done
        assert size >= 32
        assert old[old_at : old_at + size] == new[new_at : new_at + size]
        done = new_at + size
    return found


def test_insertion_and_removal():
    old = random.Random(1).randbytes(200_000)
    new = old[:50_000] + b"inserted" + old[50_000:120_000] + old[121_000:]
    assert common(old, new) == [
        (0, 0, 50_000),
        (50_008, 50_000, 70_000),
        (120_008, 121_000, 79_000),
    ]


def test_moved_blocks():
    old = random.Random(2).randbytes(100_000)
    assert sum(size for *_, size in common(old, old[60_000:] + old[:60_000])) == 100_000


@pytest.mark.parametrize("old", [b"", b"x", b"\0" * 100_000])
@pytest.mark.parametrize("new", [b"", b"x", b"\0" * 90_000])
def test_odd_files(old, new):
    common(old, new)


@pytest.mark.parametrize("seed", range(10))
def test_random_files(seed):
    rng = random.Random(seed)
    old = bytes(rng.choices(b"ab\n", k=3000))
    new = bytes(rng.choices(b"ab\n", k=500)) + old[700:1500] + old[:300]
    common(old, new)


def test_same_files_are_one_range():
    data = random.Random(3).randbytes(70_001)
    assert common(data, data) == [(0, 0, 70_001)]


def test_with_little_memory_long_ranges_are_found():
    rng = random.Random(4)
    old = rng.randbytes(200_000)
    new = old[:90_000] + b"inserted" + old[90_000:]
    found = find_common_ranges(memoryview(old), memoryview(new), index_bytes=20_000)
    assert sum(one.size for one in found) > 180_000
    assert all(new[at : at + n] == old[place : place + n] for at, place, n in found)
