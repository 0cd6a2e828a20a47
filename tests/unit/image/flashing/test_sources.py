# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import lzma

import pytest

from ostrya.image.bmap import BlockRange, Bmap, encode_bmap
from ostrya.image.errors import DiskError
from ostrya.image.flashing.sources import ImageStream, find_map, load_map
from ostrya.image.outputs.qcow2_writer import write_qcow2
from ostrya.image.outputs.sinks import NewFile

MIB = 1 << 20
DATA = bytes(MIB) + b"data" * 100_000 + bytes(3 * MIB - 400_000)


def read(path):
    with ImageStream(str(path)) as image:
        return image.size_bytes, b"".join(image.chunks())


def test_all_kinds_give_the_same_bytes(tmp_path):
    raw = tmp_path / "raw"
    raw.write_bytes(DATA)
    (tmp_path / "packed").write_bytes(lzma.compress(DATA))
    with NewFile(str(tmp_path / "qcow2")) as file:
        write_qcow2(str(raw), len(DATA), file)
        file.finish()
        file.appear()
    assert read(raw) == (len(DATA), DATA)
    assert read(tmp_path / "packed") == (None, DATA)
    assert read(tmp_path / "qcow2") == (len(DATA), DATA)


def test_a_compressed_qcow2_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(lzma.compress(b"QFI\xfb" + bytes(100)))
    with pytest.raises(DiskError, match="compressed qcow2"):
        read(tmp_path / "x")


def test_a_damaged_qcow2_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"QFI\xfb" + bytes(200))
    with pytest.raises(DiskError, match="version 0"):
        ImageStream(str(tmp_path / "x"))


@pytest.mark.parametrize("name", ["os.wic.xz.bmap", "os.wic.bmap", "os.bmap"])
def test_the_map_beside_an_image_is_found(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert find_map(str(tmp_path / "os.wic.xz")) == str(tmp_path / name)


def test_without_a_map_there_is_none(tmp_path):
    (tmp_path / "other.bmap").write_bytes(b"")
    assert find_map(str(tmp_path / "os.wic.xz")) is None


def test_a_map_is_read_by_its_name(tmp_path):
    path = tmp_path / "x.bmap"
    bmap = Bmap(8192, (BlockRange(1, 1, "a" * 64),))
    path.write_bytes(encode_bmap(bmap))
    assert load_map(str(path)) == bmap
    path.write_bytes(b"no map")
    with pytest.raises(DiskError, match="it is no bmap file") as caught:
        load_map(str(path))
    assert caught.value.message.startswith(str(path))
