# SPDX-License-Identifier: Apache-2.0
"""Whole content objects of archive repositories: prefix, header and deflated body."""

from __future__ import annotations

import os
import zlib

from ostrya.errors import FormatError
from ostrya.formats.checksum import Checksum
from ostrya.repo.errors import ObjectInvalid
from ostrya.repo.stores.archive import ArchiveFile, _load, inflate_chunks

CHECKSUM = Checksum("ab" * 32)
# One file in memory for all inputs: a disk would take longer than what is tried.
OBJECT = os.memfd_create("object")
RAW_DEFLATE = -15


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Read it whole and in pieces; content must be what zlib inflates, and as long as was said."""
    os.ftruncate(OBJECT, len(data))
    os.pwrite(OBJECT, data, 0)
    os.lseek(OBJECT, 0, os.SEEK_SET)
    fd = os.dup(OBJECT)
    try:
        loaded = _load(fd, CHECKSUM)
    except FormatError as exc:
        os.close(fd)
        return exc
    if not isinstance(loaded, ArchiveFile):
        assert loaded.header.is_symlink
        return loaded.header
    with loaded:
        try:
            content = loaded.read()
            assert b"".join(loaded.chunks()) == content
        except ObjectInvalid as exc:
            return exc
    assert len(content) == loaded.size
    body = data[8 + int.from_bytes(data[:4], "big") :]
    inflater = zlib.decompressobj(RAW_DEFLATE)
    try:
        assert inflater.decompress(body, len(content) + 1) == content
        assert inflater.eof
        assert b"".join(inflate_chunks([body[:9], body[9:]], len(content))) == content
    except (zlib.error, FormatError):
        # libdeflate gives a meaning to length codes 286 and 287, which others refuse.
        pass
    return content
