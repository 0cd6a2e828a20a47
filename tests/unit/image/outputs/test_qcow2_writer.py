# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
import shutil
import subprocess

import pytest

from ostrya.image.outputs import qcow2_writer
from ostrya.image.outputs.qcow2_writer import write_qcow2
from ostrya.image.outputs.sinks import NewFile
from ostrya.image.reading.qcow2 import Qcow2Source
from ostrya.image.reading.sources import BytesSource

KIB = 1024


def make(tmp_path, pieces, size):
    raw = tmp_path / "raw"
    with raw.open("wb") as stream:
        for at, data in pieces:
            stream.seek(at)
            stream.write(data)
        stream.truncate(size)
    with NewFile(str(tmp_path / "qcow2")) as file:
        write_qcow2(str(raw), size, file)
        file.finish()
        file.appear()
    return raw, tmp_path / "qcow2"


def check(raw, image):
    source = Qcow2Source(BytesSource(image.read_bytes()))
    if source.size_bytes < 100 << 20:
        assert source.read(0, source.size_bytes) == raw.read_bytes()
    if shutil.which("qemu-img") is None:
        pytest.skip("qemu-img is not installed")
    subprocess.run(["qemu-img", "check", "-f", "qcow2", image], check=True, capture_output=True)
    subprocess.run(
        ["qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, image],
        check=True, capture_output=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pieces", "size"),
    [
        ([], 1 << 20),
        ([], 512),
        ([(0, b"x")], 512),
        ([(0, b"a" * 4096), (8192, b"b" * 4096), (60 * KIB, b"c" * 8192)], 1 << 20),
        ([(5 * KIB, b"1"), (600 << 20, b"2" * 100_000), ((1 << 30) - 1, b"3")], 1 << 30),
        ([(0, bytes(200 * KIB) + b"z")], 256 * KIB + 512),
    ],
    ids=["empty", "sector", "byte", "holes", "far", "zeros"],
)
def test_it_is_the_disk(tmp_path, pieces, size):
    check(*make(tmp_path, pieces, size))


def test_many_holes(tmp_path):
    rng = random.Random(3)
    pieces = [
        (rng.randrange(0, 8000) * 4096, rng.randbytes(rng.randrange(1, 9000))) for _ in range(300)
    ]
    check(*make(tmp_path, pieces, 40 << 20))


def test_clusters_of_zeros_are_left_out(tmp_path):
    _, image = make(tmp_path, [(0, b"x"), (100 << 20, bytes(1 << 20))], 1 << 30)
    assert image.stat().st_size == 6 * 64 * KIB


def test_which_zeros_are_holes_does_not_matter(tmp_path):
    size = 512 * KIB
    whole = bytearray(size)
    whole[70 * KIB : 71 * KIB] = whole[300 * KIB : 301 * KIB] = b"x" * KIB
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    _, full = make(tmp_path / "a", [(0, bytes(whole))], size)
    zeros = [
        (128 * KIB, bytes(4 * KIB)),
        (320 * KIB + 4096, bytes(8 * KIB)),
        (508 * KIB, bytes(KIB)),
    ]
    pieces = [(70 * KIB, b"x" * KIB), (300 * KIB, b"x" * KIB), *zeros]
    _, sparse = make(tmp_path / "b", pieces, size)
    assert sparse.read_bytes() == full.read_bytes()


def test_counts_have_room_for_themselves():
    for others in (1, 32765, 32766, 32767, 65534, 10_000_000):
        table, blocks, total = qcow2_writer._count_clusters(others)
        assert total == others + table + blocks
        assert blocks * 32768 >= total
        assert table * 8192 >= blocks
