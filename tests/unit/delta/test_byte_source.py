# SPDX-License-Identifier: Apache-2.0
"""Bytes by their places."""

from __future__ import annotations

import pytest

from ostrya.delta.byte_source import CHUNK_BYTES, FileSource, MemorySource, read_range


@pytest.fixture(params=["memory", "file"])
def source(request, tmp_path):
    data = b"0123456789" * 100_000
    if request.param == "memory":
        yield MemorySource(data)
        return
    path = tmp_path / "file"
    path.write_bytes(b"head" + data + b"tail")
    with path.open("rb") as stream:
        yield FileSource(stream.fileno(), 4, len(data))


def test_reads(source):
    assert source.size == 1_000_000
    assert source.read(3, 4) == b"3456"
    assert source.read(999_998, 10) == b"89"
    assert source.read(1_000_000, 10) == b""
    assert source.read(2_000_000, 10) == b""


def test_ranges(source):
    pieces = list(read_range(source, 5, 700_000))
    assert b"".join(pieces) == (b"0123456789" * 100_000)[5:700_005]
    assert max(map(len, pieces)) <= CHUNK_BYTES
    assert list(read_range(source, 5, 0)) == []
    with pytest.raises(EOFError):
        list(read_range(source, 999_999, 2))
