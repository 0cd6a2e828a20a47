# SPDX-License-Identifier: Apache-2.0
"""The search in Python: `test_bsdiff` compares it with the compiled one."""

from __future__ import annotations

import random

import pytest

from ostrya.delta.bsdiff_plain import make_plain_patch, subtract
from ostrya.delta.bspatch import patched_chunks
from ostrya.delta.byte_source import MemorySource

NOISE = random.Random(1).randbytes(20_000)


def patch(old: bytes, new: bytes) -> tuple[bytes, int]:
    data, estimate = make_plain_patch(memoryview(old), memoryview(new))
    chunks = patched_chunks(MemorySource(old), MemorySource(data), 0, len(data), len(new))
    assert b"".join(chunks) == new
    return data, estimate


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"", b""),
        (b"", b"new"),
        (b"old", b""),
        (NOISE, NOISE),
        (NOISE, NOISE[5000:]),
        (NOISE, NOISE[:5000] + b"between" + NOISE[5000:]),
        (NOISE, NOISE[10_000:] + NOISE[:10_000]),
        (b"\0" * 5000, b"\0" * 7000),
    ],
)
def test_it_gives_the_new_file_back(old, new):
    patch(old, new)


def test_what_is_the_same_costs_next_to_nothing():
    _, same = patch(NOISE, NOISE)
    _, other = patch(NOISE, random.Random(2).randbytes(len(NOISE)))
    assert same < 100
    assert other > len(NOISE) // 2


def test_bytes_that_differ_within_a_copy_do_not_end_it():
    changed = bytearray(NOISE)
    for at in range(0, len(changed), 400):
        changed[at] ^= 1
    _, estimate = patch(NOISE, bytes(changed))
    assert estimate < 2000


def test_subtract():
    new, old = b"\x05\x00\xff", b"\x03\x01\x00"
    assert bytes(subtract(memoryview(new), memoryview(old))) == b"\x02\xff\xff"
    assert bytes(subtract(memoryview(NOISE), memoryview(NOISE))) == bytes(len(NOISE))
