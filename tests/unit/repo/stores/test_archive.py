# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import zlib

import pytest

from ostrya.formats.errors import ObjectFormatError
from ostrya.repo.stores import archive
from ostrya.repo.stores.archive import compress, inflate, inflate_chunks


def deflate(data: bytes, level: int = 6) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


CONTENTS = [b"", b"x", b"text " * 1000, bytes(range(256)) * 300, bytes(100_000)]


@pytest.mark.parametrize("content", CONTENTS, ids=len)
@pytest.mark.parametrize("level", [1, 6, 9])
def test_there_and_back(content, level):
    packed = bytes(compress(content, level))
    assert zlib.decompress(packed, -15) == content
    assert inflate(packed, len(content)) == content
    for size in (1, 7, 100_000):
        assert b"".join(inflate_chunks(pieces(packed, size), len(content))) == content


@pytest.mark.parametrize("size", [(1 << 20) + 1, (3 << 20) - 1, 3 << 20, (3 << 20) + 1])
@pytest.mark.parametrize("piece", [100, 1 << 20])
def test_a_few_bits_that_stand_for_much(size, piece):
    """All input is taken before all output is given."""
    packed = deflate(bytes(size))
    assert sum(map(len, inflate_chunks(pieces(packed, piece), size))) == size


@pytest.mark.parametrize("level", [1, 6, 9])
def test_blocks_deflated_apart_are_one_stream(level):
    content = [bytes(range(256)) * 400, b"x" * 70_000, b"", b"tail"]
    packed = b"".join(archive._compress_chunks(content, level))
    whole = b"".join(content)
    assert zlib.decompress(packed, -15) == whole
    assert inflate(packed, len(whole)) == whole


def test_nothing_at_all_is_a_stream_too():
    assert zlib.decompress(b"".join(archive._compress_chunks([], 6)), -15) == b""


@pytest.mark.parametrize("claimed", [99, 101, 0, 1 << 40])
def test_another_size_than_claimed(claimed):
    packed = deflate(b"x" * 100)
    with pytest.raises(ObjectFormatError):
        b"".join(inflate_chunks([packed], claimed))
    if claimed:
        with pytest.raises(ObjectFormatError):
            inflate(packed, claimed)


def test_a_bomb_is_stopped_early():
    packed = deflate(bytes(50 << 20))
    running = inflate_chunks(pieces(packed, 100), 1000)
    with pytest.raises(ObjectFormatError, match="more than 1000"):
        next(running)


@pytest.mark.parametrize("end", [1, 5, 20])
def test_cut_short(end):
    content = bytes(range(256))
    with pytest.raises(ObjectFormatError):
        b"".join(inflate_chunks([deflate(content)[:end]], len(content)))
    with pytest.raises(ObjectFormatError):
        inflate(deflate(content)[:end], len(content))


def test_without_the_quick_libraries(monkeypatch):
    import sys

    for name in ("deflate", "isal", "isal.isal_zlib"):
        monkeypatch.setitem(sys.modules, name, None)
    content = bytes(range(256)) * 1000
    packed = bytes(compress(content, 6))
    assert inflate(packed, len(content)) == content
    with pytest.raises(ObjectFormatError):
        inflate(packed[:-5], len(content))
