# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import os
import subprocess

import pytest

from ostrya.image.errors import DiskError
from ostrya.image.outputs.qcow2_writer import write_qcow2
from ostrya.image.outputs.sinks import NewFile
from ostrya.image.reading.disk import DiskImage
from support.image_world import missing
from support.small_disks_plain import make_disk

pytestmark = pytest.mark.skipif(bool(missing("mke2fs")), reason="no mke2fs")


@pytest.fixture
def raw(tree, tmp_path):
    return make_disk(tree, tmp_path / "disk")


def test_partitions_and_what_is_in_them(raw):
    with DiskImage(str(raw)) as disk:
        assert disk.format == "raw"
        assert [(one.kind, one.partition.name) for one in disk.volumes] == [
            ("fat16", "boot"),
            ("ext4", "root"),
        ]
        for name in ("2", "root", "otaroot"):
            assert disk.volume(name).kind == "ext4"
        with pytest.raises(DiskError, match="has no partition '7'") as caught:
            disk.volume("7")
        assert caught.value.hint == "it has 1 (boot), 2 (root)"


def test_all_formats_are_the_same_disk(raw, tmp_path):
    with NewFile(str(tmp_path / "qcow2")) as file:
        write_qcow2(str(raw), raw.stat().st_size, file)
        file.finish()
        file.appear()
    (tmp_path / "raw.gz").write_bytes(gzip.compress(raw.read_bytes(), 1))
    (tmp_path / "qcow2.gz").write_bytes(gzip.compress((tmp_path / "qcow2").read_bytes(), 1))
    for name, form in (("qcow2", "qcow2"), ("raw.gz", "raw.gz"), ("qcow2.gz", "qcow2.gz")):
        with DiskImage(str(tmp_path / name), folder=str(tmp_path)) as disk:
            assert disk.format == form
            assert disk.source.read(0, disk.source.size_bytes) == raw.read_bytes()
            assert [one.kind for one in disk.volumes] == ["fat16", "ext4"]


def test_a_file_system_is_its_only_partition(make_ext4, tree):
    with DiskImage(str(make_ext4(tree))) as disk:
        (volume,) = disk.volumes
        assert (volume.kind, volume.partition.number, disk.table.kind) == ("ext4", 1, "")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no disk"),
        (os.urandom(5000), "neither a partition table nor"),
        (bytes(257) + b"ustar" + bytes(762), "it is a tar archive"),
        (b"\x1f\x8b" + b"x" * 3000, "damaged"),
        (b"QFI\xfb" + bytes(3000), "version 0"),
    ],
    ids=["empty", "random", "tar", "gzip", "qcow2"],
)
def test_what_is_no_image_is_refused_by_name(tmp_path, data, words):
    path = tmp_path / "thing"
    path.write_bytes(data)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(DiskError, match=words) as caught:
        DiskImage(str(path))
    assert caught.value.message.startswith(f"{path}: ")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_directory_is_none(tmp_path):
    with pytest.raises(DiskError, match="a directory"):
        DiskImage(str(tmp_path))


def test_an_ext4_that_is_damaged_is_named(raw):
    with DiskImage(str(raw)) as disk:
        at = disk.volume("root").partition.offset
    with raw.open("r+b") as stream:
        stream.seek(at + 1024 + 0x60)
        stream.write(b"\xff\xff\xff\xff")
    with DiskImage(str(raw)) as disk:
        volume = disk.volume("root")
        assert (volume.kind, volume.files) == ("ext4", None)
        assert "the ext4 has" in volume.fault


def test_others_are_known_by_name(tmp_path):
    path = tmp_path / "swap"
    path.write_bytes(bytes(64 << 10))
    subprocess.run(["/sbin/mkswap", path], check=True, capture_output=True)
    with DiskImage(str(path)) as disk:
        assert disk.volumes[0].kind == "swap"
