# SPDX-License-Identifier: Apache-2.0
"""Parts opened: hashed, inflated within limits, found their way through."""

from __future__ import annotations

import lzma
import os
from dataclasses import dataclass
from hashlib import sha256

import pytest

from ostrya.delta import part_reader
from ostrya.delta.errors import PartMismatch
from ostrya.delta.part_reader import open_inline_part, open_part_file
from ostrya.formats.delta_part import encode_part
from ostrya.formats.delta_superblock import PartHeader
from ostrya.formats.errors import DeltaFormatError
from support.deltas import MODE


@dataclass
class Opener:
    """Opens the file of a part."""

    folder: object

    def __call__(self, data: bytes, *, unpacked_size: int = 100, checksum: str | None = None):
        path = self.folder / "part"
        path.write_bytes(data)
        digest = sha256(data).hexdigest() if checksum is None else checksum
        header = PartHeader(0, digest, len(data), unpacked_size, b"")
        spool_fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return open_part_file(os.open(path, os.O_RDONLY), header, spool_fd)
        finally:
            os.close(spool_fd)


@pytest.fixture
def opened(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    yield Opener(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


PAYLOAD = encode_part([MODE], [(), ((b"user.a", b"b"),)], b"data" * 1000, b"ops")
LARGE = encode_part([MODE], [()], b"data" * 1_000_000, b"ops")


@pytest.mark.parametrize("payload", [PAYLOAD, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("xz", [True, False])
def test_there_and_back(opened, payload, xz):
    file = b"x" + lzma.compress(payload) if xz else b"\0" + payload
    with opened(file) as found:
        tables = found.tables()
        assert tables.modes == (MODE,)
        assert tables.operations == b"ops"
        assert found.source.read(tables.data_start, 6) == b"datada"
        assert found.source.size == len(payload)
        assert tables.data_size == payload.count(b"data") * 4


@pytest.mark.parametrize("compression", [0, ord("x")])
def test_inline(compression, tmp_path):
    body = lzma.compress(LARGE) if compression else LARGE
    spool_fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    header = PartHeader(0, "a" * 64, 1, 100, b"")
    with open_inline_part(compression, memoryview(body), header, spool_fd) as found:
        assert found.tables().operations == b"ops"
    os.close(spool_fd)


@pytest.mark.parametrize(
    "data", [b"x" + lzma.compress(PAYLOAD), b"\0" + PAYLOAD, b"x", b"xnone", b"y"]
)
def test_another_file(opened, data):
    """That it is another file is said rather than what is wrong with it."""
    with pytest.raises(PartMismatch, match="expected=a{64} actual=" + sha256(data).hexdigest()):
        opened(data, checksum="a" * 64)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is empty"),
        (b"y", "Invalid compression type '121'"),
        (b"x", "cut short"),
        (b"xabcdef", "Invalid delta part"),
        (b"x" + lzma.compress(PAYLOAD)[:-5], "cut short"),
        (b"x" + lzma.compress(PAYLOAD) + b"more", "something follows"),
        (b"x" + lzma.compress(PAYLOAD, format=lzma.FORMAT_ALONE), "Invalid delta part"),
        (b"x" + lzma.compress(b""), "Not normal form"),
        (b"\0", "Not normal form"),
        (b"\0" + b"z" * 50, "Not normal form"),
    ],
)
def test_damaged(opened, data, message):
    with pytest.raises(DeltaFormatError, match=message), opened(data) as found:
        found.tables()


def test_a_bomb(opened):
    """It stops where the limit is, not where the stream ends."""
    bomb = b"x" + lzma.compress(bytes(200 << 20), preset=0)
    with pytest.raises(DeltaFormatError, match="far larger than anything that makes 100 bytes"):
        opened(bomb)
    with pytest.raises(DeltaFormatError, match="far larger"):
        opened(b"\0" + bytes(17 << 20))


def test_a_decoder_that_wants_too_much(opened):
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 256 << 20}]
    data = b"x" + lzma.compress(b"small", filters=filters)
    with pytest.raises(DeltaFormatError, match="more than 100 MiB to inflate"):
        opened(data)


def test_limits_of_tables(opened, monkeypatch):
    monkeypatch.setattr(part_reader, "_MAX_OPERATION_BYTES", 2)
    with (
        pytest.raises(DeltaFormatError, match="MiB of operations"),
        opened(b"\0" + PAYLOAD) as found,
    ):
        found.tables()
