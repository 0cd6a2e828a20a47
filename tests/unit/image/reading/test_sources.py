# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import bz2
import gzip
import importlib
import lzma
import os

import pytest

from ostrya.image.errors import DiskError
from ostrya.image.reading.sources import (
    BytesSource,
    FileSource,
    Window,
    compression_of,
    unpack,
    unpack_zstd,
    unpacked,
)

MIB = 1 << 20
PLAIN = bytes(2 * MIB) + b"text " * 300_000 + bytes(3 * MIB + 7)


def zstd(data):
    for name in ("compression.zstd", "backports.zstd"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        return module.compress(data, options={module.CompressionParameter.checksum_flag: 1})
    pytest.skip("no zstd")


PACK = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd}


def opened(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    return os.open(path, os.O_RDONLY)


@pytest.mark.parametrize("how", PACK)
@pytest.mark.parametrize("streams", [1, 2])
def test_what_is_compressed_is_unpacked(tmp_path, how, streams):
    half = len(PLAIN) // 2
    parts = [PLAIN] if streams == 1 else [PLAIN[:half], PLAIN[half:]]
    data = b"".join(PACK[how](part) for part in parts)
    assert compression_of(data) == how
    fd = opened(tmp_path, data)
    with unpack(fd, how, str(tmp_path)) as source:
        assert source.size_bytes == len(PLAIN)
        assert source.read(0, len(PLAIN)) == PLAIN
    os.close(fd)
    assert os.listdir(tmp_path) == ["file"]


def test_zeros_become_holes(tmp_path):
    fd = opened(tmp_path, lzma.compress(bytes(200 * MIB) + b"x"))
    with unpack(fd, "xz", str(tmp_path)) as source:
        assert os.fstat(source._fd).st_blocks * 512 < MIB
    os.close(fd)


@pytest.mark.parametrize("how", PACK)
def test_pieces_are_small_however_much_comes_of_little(tmp_path, how):
    fd = opened(tmp_path, PACK[how](bytes(64 * MIB)))
    assert max(len(piece) for piece in unpacked(fd, how)) <= MIB
    os.close(fd)


@pytest.mark.parametrize("how", PACK)
@pytest.mark.parametrize(("change", "words"), [("cut", "not whole"), ("bits", "damaged")])
def test_what_is_damaged_is_refused_and_leaves_nothing(tmp_path, how, change, words):
    data = bytearray(PACK[how](os.urandom(200_000)))
    if change == "cut":
        del data[-100:]
    else:
        data[:] = data[:100] + bytes(b ^ 0x55 for b in data[100:160]) + data[160:]
    fd = opened(tmp_path, data)
    with pytest.raises(DiskError, match="not whole|damaged" if change == "bits" else words):
        unpack(fd, how, str(tmp_path))
    os.close(fd)
    assert os.listdir(tmp_path) == ["file"]


def test_gzip_may_be_padded_with_zeros(tmp_path):
    fd = opened(tmp_path, gzip.compress(b"x") + bytes(512))
    assert b"".join(unpacked(fd, "gz")) == b"x"
    os.close(fd)


def test_what_is_not_compressed_says_nothing():
    assert compression_of(b"\xeb\x3c\x90") == ""


def test_bytes_are_there_or_not(tmp_path):
    with FileSource(opened(tmp_path, b"0123456789")) as source:
        window = Window(source, 2, 100)
        assert window.size_bytes == 8
        assert window.read(1, 3) == b"345"
        for bad in (source, window, BytesSource(b"01234567")):
            for offset, size in ((-1, 2), (0, 11), (5, -1), (1 << 60, 1)):
                with pytest.raises(DiskError, match="there are no"):
                    bad.read(offset, size)


def test_a_file_that_shrinks_is_an_error(tmp_path):
    with FileSource(opened(tmp_path, b"0123456789")) as source:
        os.truncate(tmp_path / "file", 4)
        with pytest.raises(DiskError, match="ends at byte 4"):
            source.read(2, 5)


def test_zstd_frames_are_unpacked_as_far_as_asked():
    data = zstd(b"ab" * 1000)
    assert unpack_zstd(data + b"behind", 500) == b"ab" * 250
    with pytest.raises(ValueError, match=r".+"):
        unpack_zstd(b"\x28\xb5\x2f\xfd" + b"\xff" * 50, 10)
