# SPDX-License-Identifier: Apache-2.0
"""Inputs that are changes of something whole: places of 16 bits, and what is put there."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

BASES = Path(__file__).resolve().parent / "bases"


@lru_cache
def base(name: str) -> bytes:
    """Read something whole."""
    return gzip.decompress((BASES / f"{name}.gz").read_bytes())


def patched(whole: bytes, data: bytes) -> bytes:
    """Change it: of every four bytes, two say where, and two are put there."""
    found = bytearray(whole)
    for at in range(0, len(data) - 3, 4):
        place = int.from_bytes(data[at : at + 2], "little") % (len(found) - 1)
        found[place : place + 2] = data[at + 2 : at + 4]
    return bytes(found)
