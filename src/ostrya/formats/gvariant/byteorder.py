# SPDX-License-Identifier: Apache-2.0
"""Byte swaps for integers that OSTree keeps big-endian inside host-order variants.

::

    field      in the value        after decoding the variant    after the swap
    uid 1000   00 00 03 e8         0xe8030000                    1000

Uids, modes, sizes and times stand so in objects and in summary metadata; GVariant itself
calls them ``u`` or ``t`` and knows nothing of it.
"""

from __future__ import annotations


def swap_u32(value: int) -> int:
    """Reverse the bytes of a 32-bit integer."""
    return int.from_bytes(value.to_bytes(4, "little"), "big")


def swap_u64(value: int) -> int:
    """Reverse the bytes of a 64-bit integer."""
    return int.from_bytes(value.to_bytes(8, "little"), "big")


def decode_time(value: int) -> int:
    """Give the seconds since 1970 UTC, negative before it, that a 64-bit integer holds swapped."""
    return int.from_bytes(value.to_bytes(8, "little"), "big", signed=True)


def encode_time(seconds: int) -> int:
    """Give the 64-bit integer that holds a time swapped.

    Raises:
        OverflowError: It does not fit.
    """
    return int.from_bytes(seconds.to_bytes(8, "little", signed=True), "big")
