# SPDX-License-Identifier: Apache-2.0
"""Patches, made by the compiled search and by its twin: both give the new file back."""

from __future__ import annotations

import os
import random

import pytest

from ostrya.delta import bsdiff
from ostrya.delta.bsdiff import choose_stride, make_patch
from ostrya.delta.bsdiff_plain import make_plain_patch
from ostrya.delta.bspatch import patched_chunks
from ostrya.delta.byte_source import MemorySource
from ostrya.delta.contents import SpooledPatch
from ostrya.formats.delta_operations import CONTROL_BYTES


def apply(old: bytes, patch: bytes, size: int) -> bytes:
    return b"".join(patched_chunks(MemorySource(old), MemorySource(patch), 0, len(patch), size))


def with_kernel(old: bytes, new: bytes) -> bytes:
    return make_patch(old, new).data


def sparsely(old: bytes, new: bytes) -> bytes:
    return make_patch(old, new, index_bytes=1).data


def without_kernel(old: bytes, new: bytes) -> bytes:
    return make_plain_patch(memoryview(old), memoryview(new))[0]


# With CI set this is no excuse: `make test` brings a compiler, and compiles.
needs_kernel = pytest.mark.skipif(not bsdiff.is_compiled(), reason="needs the compiled search")
MAKERS = [
    pytest.param(with_kernel, marks=needs_kernel),
    pytest.param(sparsely, marks=needs_kernel),
    without_kernel,
]


def edited(rng: random.Random, old: bytes) -> bytes:
    """What becomes of a file: bytes changed, inserted, removed, moved."""
    new = bytearray(old)
    for _ in range(rng.randrange(12)):
        at = rng.randrange(len(new) + 1)
        size = rng.choice((1, 3, 40, 900))
        kind = rng.randrange(4)
        if kind == 0:
            new[at : at + size] = bytes((b + 1) & 0xFF for b in new[at : at + size])
        elif kind == 1:
            new[at:at] = rng.randbytes(size)
        elif kind == 2:
            del new[at : at + size]
        else:
            moved = new[at : at + size]
            del new[at : at + size]
            place = rng.randrange(len(new) + 1)
            new[place:place] = moved
    return bytes(new)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("seed", range(30))
def test_edited_files(make, seed):
    rng = random.Random(seed)
    alphabet = rng.choice((b"ab", b"ab\n", bytes(range(256)), b"\0\0\0\1"))
    old = bytes(rng.choices(alphabet, k=rng.choice((0, 1, 7, 8, 9, 500, 30_000))))
    new = edited(rng, old)
    assert apply(old, make(old, new), len(new)) == new


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("seed", range(100))
def test_tiny_files(make, seed):
    rng = random.Random(seed)
    old = bytes(rng.choices(b"ab", k=rng.randrange(60)))
    new = bytes(rng.choices(b"ab", k=rng.randrange(60)))
    assert apply(old, make(old, new), len(new)) == new


@pytest.mark.parametrize("make", [MAKERS[0], without_kernel])
def test_shifted_addresses_stay_copies(make):
    rng = random.Random(5)
    old = bytearray(rng.randbytes(40_000))
    new = bytearray(old)
    # Like the addresses of a program that was linked anew: one byte in a hundred differs.
    for at in range(0, len(new), 100):
        new[at] = (new[at] + 0x10) & 0xFF
    new[20_000:20_000] = b"inserted"
    patch = make(bytes(old), bytes(new))
    assert apply(bytes(old), patch, len(new)) == new
    assert patch.count(0) > 0.9 * len(patch)


@pytest.mark.parametrize("make", MAKERS)
def test_long_equal_stretches(make):
    rng = random.Random(6)
    old = rng.randbytes(300_000)
    new = old[:150_000] + b"new" + old[150_000:]
    patch = make(old, new)
    assert apply(old, patch, len(new)) == new
    assert len(patch) < len(new) + 5 * 24


@pytest.mark.parametrize("make", MAKERS)
def test_nothing_in_common(make):
    old, new = random.Random(1).randbytes(3_000_000 // 10), random.Random(2).randbytes(20_000)
    assert apply(old, make(old, new), len(new)) == new


@needs_kernel
def test_short_copies_pay_where_the_rest_is_compressed():
    """Of large files that are hardly alike, as of gzipped ramdisks."""
    rng = random.Random(5)
    old = rng.randbytes(300_000)
    pieces = 50_000
    new = b"".join(
        rng.randbytes(30) + old[at : at + 14]
        for at in (rng.randrange(len(old) - 14) for _ in range(pieces))
    )
    made = make_patch(old, new)
    assert len(made.data) - len(new) > CONTROL_BYTES * pieces * 0.9


def test_estimate_tells_likeness():
    rng = random.Random(7)
    old = rng.randbytes(50_000)
    assert make_patch(old, old[:20_000] + b"x" + old[20_000:]).estimate < 200
    assert make_patch(old, rng.randbytes(50_000)).estimate > 30_000


@needs_kernel
@pytest.mark.parametrize("size", [0, 40_000, 3_000_000])
def test_the_same_patch_in_a_file(tmp_path, size):
    rng = random.Random(8)
    old = rng.randbytes(size)
    new = old[: size // 3] + rng.randbytes(size // 9) + old[size // 2 :]
    folder = os.open(tmp_path, os.O_RDONLY)
    made = make_patch(old, new, new_file=lambda: SpooledPatch(folder))
    os.close(folder)
    assert made == make_patch(old, new)
    assert list(tmp_path.iterdir()) == []


@needs_kernel
def test_a_patch_that_cannot_be_written(monkeypatch):
    full = os.open("/dev/full", os.O_RDWR)
    monkeypatch.setattr("ostrya.delta.contents.open_spool", lambda _: full)
    with pytest.raises(OSError, match="No space left"):
        make_patch(b"old", b"new" * 100, new_file=lambda: SpooledPatch(-1))


def test_stride_follows_memory():
    assert choose_stride(1_000_000, 1 << 30) == 1
    assert choose_stride(100 << 20, 200 << 20) > 1
    assert choose_stride(0, 1 << 20) == 1
