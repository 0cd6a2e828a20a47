# SPDX-License-Identifier: Apache-2.0
"""Patches of an old file: the compiled steps make what those in Python make, or refuse it alike.

An input is a byte each for the sizes of the old file and of the new one, in steps of 16 bytes, and
the patch. With a first byte above 127, the old file is so long that it is read in stretches.
"""

from __future__ import annotations

import os

from ostrya.delta.bspatch import patched_chunks
from ostrya.delta.bspatch_plain import plain_patched_chunks
from ostrya.delta.byte_source import FileSource, MemorySource
from ostrya.formats.errors import DeltaFormatError

OLD = bytes(range(1, 252)) * 5000
FD = os.memfd_create("old")
os.write(FD, OLD)


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Patch in both ways; they must agree."""
    first, second = data[:2].ljust(2, b"\0")
    old_size = 16 * first if first < 128 else len(OLD) - first
    old, patch = FileSource(FD, 0, old_size), MemorySource(data[2:])
    outcomes: list[bytes | DeltaFormatError] = []
    for chunks_of in (patched_chunks, plain_patched_chunks):
        try:
            chunks = chunks_of(old, patch, 0, patch.size, 16 * second)
            outcomes.append(b"".join(chunks))
        except DeltaFormatError as exc:
            outcomes.append(exc)
    one, other = outcomes
    if isinstance(one, bytes) and isinstance(other, bytes):
        assert one == other
    else:
        assert str(one) == str(other)
    return one
