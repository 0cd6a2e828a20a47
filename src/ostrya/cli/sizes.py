# SPDX-License-Identifier: Apache-2.0
"""Sizes on the command line: ``64M``, ``1G``, ``500000``."""

from __future__ import annotations

from ostrya.cli.errors import UsageError

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def parse_size(text: str, option: str) -> int:
    """Read a number of bytes; K, M, G and T stand for powers of 1024.

    Raises:
        UsageError: It is none.
    """
    digits = text.rstrip("KMGTkmgt")
    factor = _UNITS.get(text[len(digits) :].upper())
    if not digits.isascii() or not digits.isdigit() or factor is None:
        raise UsageError(f"{option}: '{text}' is no size; give bytes, or a number with K, M or G")
    return int(digits) * factor
