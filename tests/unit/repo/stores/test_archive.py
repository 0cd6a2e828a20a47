# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import stat
import zlib

import pytest

from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.file_header import FileHeader
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.errors import ObjectInvalid
from ostrya.repo.reader import load_file
from ostrya.repo.stores import archive
from ostrya.repo.stores.archive import compress, inflate, inflate_chunks
from ostrya.repo.transaction import Transaction
from ostrya.repo.verify import ObjectVerifier
from support.small_repos import make_repo, object_path


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


@pytest.mark.parametrize("packed", [b"", b"\3", b"garbage!", deflate(b"x")], ids=repr)
def test_an_empty_file_has_a_stream_too(packed):
    assert inflate(deflate(b""), 0) == b""
    with pytest.raises(ObjectFormatError):
        inflate(packed, 0)
    with pytest.raises(ObjectFormatError):
        b"".join(inflate_chunks([packed], 0))


@pytest.mark.parametrize("content", [b"", b"text"])
def test_all_content_without_the_end_of_the_stream(content):
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush(zlib.Z_SYNC_FLUSH)
    for attempt in (lambda: inflate(packed, len(content)), lambda: list(chunks(packed, content))):
        with pytest.raises(ObjectFormatError):
            attempt()


def chunks(packed, content):
    return inflate_chunks(pieces(packed, 1), len(content))


@pytest.mark.parametrize("content", [b"", b"text"])
def test_what_follows_the_stream_is_left_alone(content):
    """As libostree does: it stops at the end of the stream."""
    packed = deflate(content) + b"more"
    assert inflate(packed, len(content)) == content
    for size in (1, 100):
        assert b"".join(inflate_chunks(pieces(packed, size), len(content))) == content


def test_damaged_empty_objects_are_noticed(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        with Transaction(repo) as tx:
            checksum = tx.writer.write_data(FileHeader(0, 0, stat.S_IFREG | 0o644), b"")
            tx.commit()
        name = ObjectName(checksum, ObjectType.FILE)
        path = object_path(repo, name)
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(ObjectInvalid, match="cut short"):
            ObjectVerifier(repo).verify(name)
        with load_file(repo, checksum) as loaded:
            for read in (loaded.read, lambda: list(loaded.chunks())):
                with pytest.raises(ObjectInvalid):
                    read()


def test_without_the_quick_libraries(monkeypatch):
    import sys

    for name in ("deflate", "isal", "isal.isal_zlib"):
        monkeypatch.setitem(sys.modules, name, None)
    content = bytes(range(256)) * 1000
    packed = bytes(compress(content, 6))
    assert inflate(packed, len(content)) == content
    with pytest.raises(ObjectFormatError):
        inflate(packed[:-5], len(content))
