# SPDX-License-Identifier: Apache-2.0
"""Swaps."""

from __future__ import annotations

import pytest

from ostrya.formats.gvariant.byteorder import decode_time, encode_time, swap_u32, swap_u64


@pytest.mark.parametrize(
    ("swap", "value", "swapped"),
    [
        (swap_u32, 0x12345678, 0x78563412),
        (swap_u32, 1000, 0xE8030000),
        (swap_u64, 0x0123456789ABCDEF, 0xEFCDAB8967452301),
        (swap_u64, 1, 1 << 56),
        (swap_u32, 0, 0),
    ],
)
def test_swaps(swap, value, swapped):
    assert swap(value) == swapped
    assert swap(swapped) == value


@pytest.mark.parametrize(("swap", "limit"), [(swap_u32, 2**32), (swap_u64, 2**64)])
def test_what_does_not_fit(swap, limit):
    assert swap(limit - 1) == limit - 1
    with pytest.raises(OverflowError):
        swap(limit)


@pytest.mark.parametrize("seconds", [0, 1, -1, 2**63 - 1, -(2**63), -446_774_400])
def test_times_have_a_sign(seconds):
    assert decode_time(encode_time(seconds)) == seconds
    assert encode_time(seconds).to_bytes(8, "little") == seconds.to_bytes(8, "big", signed=True)


@pytest.mark.parametrize("seconds", [2**63, -(2**63) - 1])
def test_times_that_do_not_fit(seconds):
    with pytest.raises(OverflowError):
        encode_time(seconds)
