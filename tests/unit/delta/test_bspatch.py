# SPDX-License-Identifier: Apache-2.0
"""Patches, applied in pieces: what a plain loop over bytes would make."""

from __future__ import annotations

import random

import pytest

from ostrya.delta.bspatch import add_bytes, patched_chunks
from ostrya.delta.byte_source import CHUNK_BYTES, MemorySource
from ostrya.formats.delta_operations import PatchControl
from ostrya.formats.errors import DeltaFormatError
from support.deltas import patch_between


def apply(old: bytes, patch: bytes, size: int, padding: bytes = b"") -> bytes:
    data = MemorySource(padding + patch + padding)
    chunks = list(patched_chunks(MemorySource(old), data, len(padding), len(patch), size))
    assert all(len(chunk) < 2 * CHUNK_BYTES for chunk in chunks)
    return b"".join(chunks)


def plainly(old: bytes, steps: list[tuple[PatchControl, bytes, bytes]]) -> bytes:
    """The same, byte by byte."""
    new = bytearray()
    at = 0
    for control, added, extra in steps:
        for index, byte in enumerate(added):
            place = at + index
            new.append((byte + (old[place] if 0 <= place < len(old) else 0)) & 0xFF)
        new += extra
        at += control.add_size + control.seek
    return bytes(new)


@pytest.mark.parametrize("size", [0, 1, 2, 255, 32 * 1024])
@pytest.mark.parametrize("seed", range(3))
def test_addition(size, seed):
    rng = random.Random(seed)
    one, other = rng.randbytes(size), rng.randbytes(size)
    assert add_bytes(one, other) == bytes((a + b) & 0xFF for a, b in zip(one, other, strict=True))
    assert add_bytes(one, bytes(size)) == one


@pytest.mark.parametrize("seed", range(20))
def test_random_patches(seed):
    rng = random.Random(seed)
    old = rng.randbytes(rng.choice((0, 1, 1000, 100_000)))
    steps = []
    for _ in range(rng.randrange(30)):
        control = PatchControl(
            rng.choice((0, 1, 500, 40_000)),
            rng.choice((0, 0, 3, 70_000)),
            rng.randrange(-120_000, 120_000),
        )
        added = rng.choice((bytes, rng.randbytes))(control.add_size)
        steps.append((control, added, rng.randbytes(control.extra_size)))
    patch = b"".join(control.encode() + added + extra for control, added, extra in steps)
    new = plainly(old, steps)
    assert apply(old, patch, len(new), padding=b"zz") == new


def test_between():
    old, new = b"x" * 300_000, bytes(range(256)) * 2000
    assert apply(old, patch_between(old, new), len(new)) == new
    assert apply(b"", b"", 0) == b""


@pytest.mark.parametrize(
    ("patch", "size", "message"),
    [
        (b"", 1, "cut short"),
        (PatchControl(1, 0, 0).encode(), 1, "cut short"),
        (PatchControl(1, 1, 0).encode() + b"a", 2, "cut short"),
        (PatchControl(2, 0, 0).encode() + b"ab", 1, "makes more than the file holds"),
        (PatchControl(0, 1 << 62, 0).encode() + b"ab", 1, "makes more than the file holds"),
        (PatchControl(0, 0, 5).encode() * 3, 1, "cut short"),
        (PatchControl(-1, 0, 0).encode(), 1, "negative"),
    ],
)
def test_hostile(patch, size, message):
    with pytest.raises(DeltaFormatError, match=message):
        apply(b"old", patch, size)


def test_a_source_that_shrinks_is_padded():
    class Shrunk:
        size = 10

        def read(self, offset, size):
            return b"abc"[offset : offset + size]

    patch = PatchControl(5, 0, 0).encode() + bytes(5)
    chunks = patched_chunks(Shrunk(), MemorySource(patch), 0, len(patch), 5)
    assert b"".join(chunks) == b"abc\0\0"
