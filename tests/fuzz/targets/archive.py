# SPDX-License-Identifier: Apache-2.0
"""Archives: tar and cpio, compressed or not."""

from __future__ import annotations

import io
import stat

from ostrya.tree.archive_entries import read_archive
from ostrya.tree.errors import ArchiveError

DRAIN_LIMIT = 16 << 20
BLOCK = 512


def with_checksums(data: bytes) -> bytes:
    """Set the checksums of tar headers right: hardly a change of a header gets past them."""
    out = bytearray(data)
    for at in range(0, len(data) - BLOCK + 1, BLOCK):
        if data[at + 257 : at + 262] == b"ustar":
            out[at + 148 : at + 156] = b" " * 8
            out[at + 148 : at + 156] = b"%06o\0 " % sum(out[at : at + BLOCK])
    return bytes(out)


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Read all entries; their content must be as long as they say."""
    if sum(data[:1]) & 3:
        data = with_checksums(data)
    seen = []
    drained = 0
    try:
        for entry in read_archive(io.BytesIO(data)):
            assert isinstance(entry.path, str)
            assert entry.size >= 0
            seen.append(entry.path)
            if not stat.S_ISREG(entry.mode):
                # Whoever stores entries asks no others for content.
                assert entry.size == 0
                continue
            size = 0
            for chunk in entry.chunks():
                size += len(chunk)
                drained += len(chunk)
                if drained > DRAIN_LIMIT:
                    # A few bytes can stand for a great many zeros; what matters was seen.
                    return seen
            assert size == entry.size
    except ArchiveError as exc:
        # What tarfile complains of is in the cause, and guides to new places.
        return exc.__cause__ or exc
    return seen
