# SPDX-License-Identifier: Apache-2.0
"""xxHash, against the values of its specification's test vectors."""

from __future__ import annotations

import pytest

from ostrya.formats.erofs.xxh32 import xxh32

PRIME = 0x9E3779B1


def sanity_buffer(size: int) -> bytes:
    """The bytes that xxHash's own tests hash."""
    state, data = PRIME, bytearray()
    for _ in range(size):
        data.append(state >> 24 & 0xFF)
        state = state * state & 0xFFFFFFFF
    return bytes(data)


@pytest.mark.parametrize(
    ("size", "seed", "expected"),
    [
        (0, 0, 0x02CC5D05),
        (0, PRIME, 0x36B78AE7),
        (1, 0, 0xB85CBEE5),
        (1, PRIME, 0xD5845D64),
        (14, 0, 0xE5AA0AB4),
        (14, PRIME, 0x4481951D),
        (101, 0, 0x1F1AA412),
        (101, PRIME, 0x498EC8E2),
    ],
)
def test_the_values_that_everybody_computes(size, seed, expected):
    assert xxh32(sanity_buffer(size), seed) == expected


def test_a_text_of_many_stripes():
    assert xxh32(b"Nobody inspects the spammish repetition") == 0xE2293B2F
