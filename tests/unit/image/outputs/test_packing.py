# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import bz2
import gzip
import importlib
import lzma
import random
import subprocess

import pytest

from ostrya.image.outputs import packing
from ostrya.image.outputs.packing import packed
from ostrya.image.outputs.sinks import ZEROS

MIB = 1 << 20


class Memory(bytearray):
    def write(self, data, /):
        self.extend(data)

    def skip(self, count, /):
        self.extend(bytes(count))


def zstd_decompress(data):
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name).decompress(data)
        except ImportError:
            continue
    pytest.skip("no zstd")


UNPACK = {
    "gz": gzip.decompress, "bz2": bz2.decompress, "xz": lzma.decompress, "zst": zstd_decompress,
}  # fmt: skip
PROGRAMS = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd"}


def pack(how, *parts):
    sink = Memory()
    with packed(sink, how) as into:
        for part in parts:
            if isinstance(part, int):
                into.skip(part)
            else:
                into.write(part)
    return bytes(sink)


@pytest.fixture(scope="module")
def parts():
    rng = random.Random(1)
    words = [rng.randbytes(8) for _ in range(50)]
    text = b"".join(rng.choice(words) for _ in range(100_000))
    return (text[:5], text[5:], 9 * MIB + 3, b"end", 20 * MIB)


@pytest.mark.parametrize("how", UNPACK)
def test_it_unpacks_to_what_it_was(how, parts, tmp_path):
    plain = b"".join(bytes(part) if isinstance(part, int) else part for part in parts)
    data = pack(how, *parts)
    assert UNPACK[how](data) == plain
    assert len(data) < len(plain) // 20
    done = subprocess.run([PROGRAMS[how], "-dc"], input=data, capture_output=True, check=True)
    assert done.stdout == plain


@pytest.mark.parametrize("how", UNPACK)
def test_nothing_is_a_stream_too(how):
    assert UNPACK[how](pack(how)) == b""


@pytest.mark.parametrize("how", UNPACK)
@pytest.mark.parametrize("jobs", [1, 3])
def test_neither_processors_nor_the_ways_of_writing_change_a_byte(how, parts, jobs, monkeypatch):
    expected = pack(how, *parts)
    monkeypatch.setattr(packing, "default_jobs", lambda: jobs)
    split = [
        piece
        for part in parts
        for piece in ([part] if isinstance(part, int) else [part[:7], part[7:]])
    ]
    zeros = [ZEROS[: MIB // 2] * 2 if part == 20 * MIB else part for part in split[:-1]]
    assert pack(how, *zeros, *[bytes(MIB)] * 20) == expected


def test_gzip_names_no_file_and_no_time_and_is_one_member():
    data = pack("gz", bytes(5 * MIB), b"x")
    assert data[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\x03"
    unpacker = __import__("zlib").decompressobj(31)
    assert unpacker.decompress(data) == bytes(5 * MIB) + b"x"
    assert unpacker.eof
    assert unpacker.unused_data == b""


def test_without_compression_it_is_the_sink_itself():
    sink = Memory()
    with packed(sink, "") as into:
        assert into is sink


def test_an_error_on_the_way_is_told(monkeypatch):
    def broken(_piece, _window):
        raise RuntimeError("packer")

    monkeypatch.setattr(packing, "_packers", lambda: {"xz": (broken, 10)})
    with pytest.raises(RuntimeError, match="packer"):
        pack("xz", b"0123456789" * 9)
