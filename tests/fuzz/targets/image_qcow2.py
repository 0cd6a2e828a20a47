# SPDX-License-Identifier: Apache-2.0
"""A small qcow2 in which something is changed: its first bytes are read."""

from __future__ import annotations

from patches import base, patched

from ostrya.image.errors import DiskError
from ostrya.image.reading.qcow2 import Qcow2Source
from ostrya.image.reading.sources import BytesSource


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Read it."""
    try:
        source = Qcow2Source(BytesSource(patched(base("qcow2"), data)))
        size = min(source.size_bytes, 8192)
        found = source.read(0, size)
    except DiskError as exc:
        return exc
    assert len(found) == size
    return found
