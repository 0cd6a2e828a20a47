# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import os

import pytest

from ostrya.tree import archive_stream
from ostrya.tree.archive_stream import ArchiveReader, InflatedStream, find_compression
from ostrya.tree.errors import ArchiveError
from support.archives import COMPRESSORS

PACKED = {name: pack for name, pack in COMPRESSORS.items() if name != "plain"}


def inflate(data: bytes) -> bytes:
    reader = ArchiveReader(InflatedStream(ArchiveReader(io.BytesIO(data))))
    return b"".join(iter(lambda: reader.read(1000), b""))


def test_looking_ahead_takes_nothing():
    reader = ArchiveReader(io.BytesIO(b"0123456789"))
    assert reader.peek(3) == b"012"
    assert reader.peek(6) == b"012345"
    assert reader.read(2) == b"01"
    assert reader.read_exactly(8) == b"23456789"
    assert reader.peek(1) == reader.read(1) == b""


def test_a_pipe_gives_what_it_has(monkeypatch):
    """A stream may give less than it was asked for without being at its end."""

    class Dripping(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 3))

    reader = ArchiveReader(Dripping(b"0123456789" * 10))
    assert reader.peek(50) == b"0123456789" * 5
    assert reader.read_exactly(100) == b"0123456789" * 10


def test_fewer_than_asked_for():
    with pytest.raises(ArchiveError, match="Truncated"):
        ArchiveReader(io.BytesIO(b"abc")).read_exactly(4)


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("content", [b"", b"x", bytes(3_000_000), os.urandom(300_000)], ids=len)
def test_inflated(kind, content):
    packed = PACKED[kind](content)
    assert find_compression(packed) == kind
    assert inflate(packed) == content


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_streams_in_a_row_are_one(kind):
    assert inflate(PACKED[kind](b"one ") + PACKED[kind](b"two")) == b"one two"


@pytest.mark.parametrize("kind", PACKED)
def test_padding_behind_is_passed_over(kind):
    assert inflate(PACKED[kind](b"content") + bytes(700)) == b"content"


@pytest.mark.parametrize("kind", PACKED)
def test_cut_short(kind):
    packed = PACKED[kind](os.urandom(1000))
    for end in (len(packed) // 2, len(packed) - 1):
        with pytest.raises(ArchiveError):
            inflate(packed[:end])


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_damaged(kind):
    packed = bytearray(PACKED[kind](bytes(range(256)) * 40))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(ArchiveError, match=f"Damaged {kind} data|Truncated"):
        inflate(bytes(packed))


def test_zstd_needs_a_package_and_says_which(monkeypatch):
    def missing(_name):
        raise ImportError

    monkeypatch.setattr(archive_stream.importlib, "import_module", missing)
    with pytest.raises(ArchiveError, match=r"needs the package backports\.zstd") as caught:
        inflate(b"\x28\xb5\x2f\xfd" + bytes(20))
    assert "pip install" in caught.value.hint


def test_what_is_not_compressed():
    assert find_compression(b"") == find_compression(b"plain text") == ""
