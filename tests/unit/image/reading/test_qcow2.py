# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess

import pytest

from ostrya.image.errors import DiskError
from ostrya.image.qcow2 import COMPRESSED, Header, encode_header
from ostrya.image.reading.qcow2 import Qcow2Source
from ostrya.image.reading.sources import BytesSource, FileSource

MIB = 1 << 20
CLUSTER = 512


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")
@pytest.mark.parametrize(
    "options",
    [
        [], ["-c"], ["-o", "compat=0.10"], ["-o", "cluster_size=4k"],
        ["-c", "-o", "compression_type=zstd"], ["-o", "cluster_size=2M,preallocation=metadata"],
    ],
    ids=lambda options: "-".join(options) or "plain",
)  # fmt: skip
def test_what_qemu_writes_is_read(tmp_path, options):
    rng = random.Random(1)
    raw = tmp_path / "raw"
    with raw.open("wb") as stream:
        for at in (0, MIB - 3, 5 * MIB, 9 * MIB + 17):
            stream.seek(at)
            stream.write(b"text" * 4000 + rng.randbytes(90_000))
        stream.truncate(10 * MIB + 512)
    argv = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", *options, raw, tmp_path / "image"]
    subprocess.run(argv, check=True)
    with FileSource(os.open(tmp_path / "image", os.O_RDONLY)) as file:
        source = Qcow2Source(file)
        assert source.size_bytes == 10 * MIB + 512
        assert source.read(0, source.size_bytes) == raw.read_bytes()
        assert source.read(MIB - 10, 50) == raw.read_bytes()[MIB - 10 : MIB + 40]
        with pytest.raises(DiskError, match="there are no"):
            source.read(10 * MIB, 513)


def image(entry, *, first=3 * CLUSTER, size=4 * CLUSTER):
    """An image of one table, whose first cluster is what the entry says."""
    header = Header(size, 9, 2 * CLUSTER, 1)
    head = encode_header(header, counts_at=CLUSTER, counts_clusters=1).ljust(2 * CLUSTER, b"\0")
    return (
        head
        + struct.pack(">Q", first).ljust(CLUSTER, b"\0")
        + struct.pack(">Q", entry).ljust(CLUSTER, b"\0")
        + b"data" * (CLUSTER // 4)
    )


def test_entries_mean_what_the_format_says():
    assert Qcow2Source(BytesSource(image(4 * CLUSTER))).read(0, 8) == b"datadata"
    assert Qcow2Source(BytesSource(image(4 * CLUSTER | 1))).read(0, 8) == bytes(8)
    assert Qcow2Source(BytesSource(image(0))).read(500, 600) == bytes(600)
    assert Qcow2Source(BytesSource(image(4 * CLUSTER, first=0))).read(0, 4) == bytes(4)


def test_the_last_cluster_may_be_short():
    data = image(4 * CLUSTER)[:-100]
    assert Qcow2Source(BytesSource(data)).read(CLUSTER - 104, 104) == b"data" + bytes(100)


@pytest.mark.parametrize(
    "data", [image(1 << 40), image(COMPRESSED | 4 * CLUSTER), image(0, first=1 << 50)],
    ids=["far", "packed", "table"],
)  # fmt: skip
def test_what_is_damaged_is_an_error(data):
    with pytest.raises(DiskError):
        Qcow2Source(BytesSource(data)).read(0, CLUSTER)
