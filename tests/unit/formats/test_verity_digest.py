# SPDX-License-Identifier: Apache-2.0
"""fs-verity digests, against what fsverity 1.5 printed and against the tree built at once."""

from __future__ import annotations

import hashlib

import pytest

from ostrya.formats.verity_digest import BLOCK_SIZE, VerityHasher, verity_digest

PATTERN = bytes(range(251)) * 17


def content(size: int) -> bytes:
    return (PATTERN * (size // len(PATTERN) + 1))[:size]


def at_once(data: bytes) -> str:
    """The same by building whole levels."""
    hashes = [hashlib.sha256(b).digest() for b in padded_blocks(data)]
    while len(hashes) > 1:
        hashes = [hashlib.sha256(b).digest() for b in padded_blocks(b"".join(hashes))]
    root = hashes[0] if hashes else bytes(32)
    descriptor = b"\1\1\x0c\0" + bytes(4) + len(data).to_bytes(8, "little") + root
    return hashlib.sha256(descriptor.ljust(256, b"\0")).hexdigest()


def padded_blocks(data: bytes) -> list[bytes]:
    return [data[at : at + 4096].ljust(4096, b"\0") for at in range(0, len(data), 4096)]


# Printed by `fsverity digest` 1.5-1.1 for files of this content.
MEASURED = {
    0: "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95",
    1: "b803429503d95915829b29fdbc8bbad142f3abfd11b1cadf5526582e685c0551",
    4096: "13e9b8848ae484a36acb3f3cac0ceb2f7601e96633d15c92f9bd3dd44e492157",
    4097: "b0d074abef4d544404facfab6ba242f6a8ccbde90f1325cd286f3c8aa8d0f8aa",
    600_000: "06d5be5c1f84f55006b5826aec720b80e5d95f30e170be7e1d6aae61755f1ae4",
}


@pytest.mark.parametrize(("size", "digest"), MEASURED.items())
def test_as_fsverity_measures(size, digest):
    assert verity_digest([content(size)]) == digest


@pytest.mark.parametrize(
    "size",
    [0, 1, 4095, 4096, 4097, 8192, 127 * 4096, 128 * 4096, 128 * 4096 + 1, 129 * 4096, 256 * 4096],
)
@pytest.mark.parametrize("piece", [1000, 4096, 10007, 1 << 30])
def test_pieces_do_not_matter(size, piece):
    data = content(size)
    pieces = [data[at : at + piece] for at in range(0, size, piece)]
    assert verity_digest(pieces) == at_once(data)


def test_three_levels():
    """More blocks than two levels of digests hold."""
    size = BLOCK_SIZE * 128 * 128
    block = content(BLOCK_SIZE * 128)
    hasher = VerityHasher()
    for _ in range(128):
        hasher.update(block)
    hasher.update(b"x")
    assert hasher._size == size + 1
    assert hasher.checksum() == at_once(block * 128 + b"x")


def test_views_and_arrays():
    data = content(10_000)
    assert verity_digest([memoryview(data)]) == verity_digest([bytearray(data)]) == at_once(data)
