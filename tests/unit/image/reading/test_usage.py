# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import subprocess

import pytest

from ostrya.image.filesystem import find_program
from ostrya.image.reading.disk import DiskImage
from ostrya.image.reading.usage import make_bmap, used_extents
from support.image_world import carve, missing
from support.small_disks_plain import make_disk

pytestmark = pytest.mark.skipif(bool(missing("mke2fs")), reason="no mke2fs")


@pytest.fixture
def disk(tree, tmp_path):
    # A file of zeros, which a sparse file does not have, but a disk has to.
    (tree / "zeros").write_bytes(bytes(3 << 20))
    with DiskImage(str(make_disk(tree, tmp_path / "disk"))) as disk:
        yield disk


def flashed(disk, path):
    """What a disk full of other things is after what matters was written to it."""
    data = bytearray(b"\xa5" * disk.source.size_bytes)
    for at, size in used_extents(disk.source, disk.volumes):
        data[at : at + size] = disk.source.read(at, size)
    path.write_bytes(data)
    return path


def test_what_matters_is_enough(disk, tmp_path):
    path = flashed(disk, tmp_path / "target")
    with DiskImage(str(path)) as other:
        assert other.table == disk.table
        for ours, theirs in zip(disk.volumes, other.volumes, strict=True):
            for one in ours.files.entries(ours.files.root()):
                if not one.is_dir and one.kind != "link":
                    again = theirs.files.find(theirs.files.root(), one.name)
                    assert list(theirs.files.chunks(again)) == list(ours.files.chunks(one))
        part = other.volume("root").partition
        fat = other.volume("boot").partition
    root = carve(path, tmp_path / "root", part.offset, part.size_bytes)
    subprocess.run([find_program("e2fsck"), "-fn", root], check=True, capture_output=True)
    boot = carve(path, tmp_path / "boot", fat.offset, fat.size_bytes)
    subprocess.run([find_program("fsck.vfat"), "-n", boot], check=True, capture_output=True)


def test_what_does_not_matter_is_left_out(disk):
    used = sum(size for _, size in used_extents(disk.source, disk.volumes))
    free = sum(one.files.free_bytes for one in disk.volumes)
    assert used < disk.source.size_bytes - free + (1 << 16)


def test_a_partition_that_nobody_knows_matters_as_a_whole(disk):
    unknown = [one._replace(files=None) for one in disk.volumes]
    assert sum(size for _, size in used_extents(disk.source, unknown)) == disk.source.size_bytes


def test_a_map_has_the_checksums_of_its_ranges(disk):
    bmap = make_bmap(disk.source, disk.volumes)
    for one in bmap.ranges:
        start, size = bmap.extent(one)
        assert one.checksum == hashlib.sha256(disk.source.read(start, size)).hexdigest()
    assert bmap.size_bytes == disk.source.size_bytes
