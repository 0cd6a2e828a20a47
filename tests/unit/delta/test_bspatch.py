# SPDX-License-Identifier: Apache-2.0
"""Patches, applied in pieces: what a plain loop over bytes would make, compiled or not."""

from __future__ import annotations

import os
import random
from array import array
from contextlib import contextmanager
from errno import EBADF

import pytest

from ostrya.delta import bspatch
from ostrya.delta.bspatch import patched_chunks
from ostrya.delta.bspatch_plain import plain_patched_chunks
from ostrya.delta.byte_source import CHUNK_BYTES, FileSource, MemorySource
from ostrya.formats.delta_operations import PatchControl
from ostrya.formats.errors import DeltaFormatError
from support.deltas import patch_between

# Twice as far is beyond all files.
FAR = (1 << 62) - 1
# With CI set this is no excuse: `make test` brings a compiler, and compiles.
needs_kernel = pytest.mark.skipif(not bspatch.is_compiled(), reason="needs the compiled steps")


@pytest.fixture(params=[pytest.param(patched_chunks, marks=needs_kernel), plain_patched_chunks])
def chunks_of(request):
    return request.param


@contextmanager
def opened(data: bytes):
    """An open file with something before the data, and nothing behind."""
    fd = os.memfd_create("old")
    try:
        os.write(fd, b"?" + data)
        yield FileSource(fd, 1, len(data))
    finally:
        os.close(fd)


def apply(chunks_of, old: bytes, patch: bytes, size: int, padding: bytes = b"") -> bytes:
    data = MemorySource(padding + patch + padding)
    with opened(old) as source:
        chunks = list(chunks_of(source, data, len(padding), len(patch), size))
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


@pytest.mark.parametrize("seed", range(20))
def test_random_patches(chunks_of, seed):
    rng = random.Random(seed)
    old = rng.randbytes(rng.choice((0, 1, 1000, 100_000, 1_500_000)))
    steps = []
    for _ in range(rng.randrange(30)):
        control = PatchControl(
            rng.choice((0, 1, 500, 40_000)),
            rng.choice((0, 0, 3, 70_000)),
            rng.choice((120_000, 1_500_000)) * rng.choice((0, 1, -1)) + rng.randrange(9),
        )
        added = rng.choice((bytes, rng.randbytes))(control.add_size)
        steps.append((control, added, rng.randbytes(control.extra_size)))
    patch = b"".join(control.encode() + added + extra for control, added, extra in steps)
    new = plainly(old, steps)
    assert apply(chunks_of, old, patch, len(new), padding=b"zz") == new


def test_between(chunks_of):
    old, new = b"x" * 300_000, bytes(range(256)) * 2000
    assert apply(chunks_of, old, patch_between(old, new), len(new)) == new
    assert apply(chunks_of, b"", b"", 0) == b""


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
        (PatchControl(0, -1, 0).encode(), 1, "negative"),
        (PatchControl(0, 0, FAR).encode() * 2, 1, "beyond all files"),
        (PatchControl(0, 0, -FAR).encode() * 2, 1, "beyond all files"),
        (PatchControl(0, 0, 1 << 61).encode() * 3, 1, "beyond all files"),
        (PatchControl((1 << 63) - 1, 1, 0).encode(), 5, "makes more than the file holds"),
        (PatchControl(0, 1, 0).encode() + b"a", 1 << 63, "cut short"),
    ],
)
def test_hostile(chunks_of, patch, size, message):
    with pytest.raises(DeltaFormatError, match=message):
        apply(chunks_of, b"old", patch, size)


def test_where_it_seeks_last_does_not_matter(chunks_of):
    steps = [(1, 0, -FAR), (1, 0, 2), (1, 0, FAR)]
    with pytest.raises(DeltaFormatError, match="beyond all files"):
        apply(
            chunks_of, b"abc", b"".join(PatchControl(*step).encode() + b"\0" for step in steps), 3
        )
    patch = b"".join(PatchControl(*step).encode() + b"\0" for step in steps[1:])
    assert apply(chunks_of, b"abcd", patch, 2) == b"ad"


def test_a_file_that_shrinks_is_padded(chunks_of):
    patch = PatchControl(5, 0, 0).encode() + bytes(5)
    with opened(b"abc") as source:
        source.size = 10
        chunks = chunks_of(source, MemorySource(patch), 0, len(patch), 5)
        assert b"".join(chunks) == b"abc\0\0"


def test_a_disk_that_fails(chunks_of):
    patch = PatchControl(5, 0, 0).encode() + bytes(5)
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        list(chunks_of(FileSource(-1, 0, 10), MemorySource(patch), 0, len(patch), 5))
    assert caught.value.errno == EBADF


def test_what_is_no_file_is_read_as_well():
    patch = PatchControl(3, 0, 0).encode() + bytes(3)
    chunks = patched_chunks(MemorySource(b"old"), MemorySource(patch), 0, len(patch), 3)
    assert b"".join(chunks) == b"old"


FIELDS = {
    "place": 0, "add": 1, "extra": 2, "left": 4, "taken": 5, "made": 6, "start": 7, "length": 8,
}  # fmt: skip
MOST = (1 << 63) - 1


@needs_kernel
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("place", MOST), ("place", -MOST), ("add", -1), ("add", MOST), ("extra", -1),
        ("extra", MOST), ("left", -1), ("left", MOST), ("taken", -1), ("taken", 4), ("made", -1),
        ("made", 5), ("start", -1), ("start", 4), ("length", -1), ("length", 4),
    ],
)  # fmt: skip
def test_an_unsound_state_is_refused(field, value):
    state = array("q", bytes(80))
    state[FIELDS[field]] = value
    with pytest.raises(ValueError, match="cannot be"):
        bspatch._run_steps(state, -1, 0, 3, bytearray(3), b"pat", bytearray(4))


@needs_kernel
@pytest.mark.parametrize(
    ("state", "begin", "size"), [(72, 0, 3), (80, -1, 3), (80, 0, -1), (80, 0, 4), (80, MOST, 3)]
)
def test_unsound_sizes_are_refused(state, begin, size):
    with pytest.raises(ValueError, match="cannot be"):
        bspatch._run_steps(
            array("q", bytes(state)), -1, begin, size, bytearray(3), b"", bytearray(4)
        )
