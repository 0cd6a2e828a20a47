# SPDX-License-Identifier: Apache-2.0
"""A disk of a FAT and an ext4."""

from __future__ import annotations

import subprocess

import pytest

from ostrya.image.filesystem import find_program
from ostrya.image.reading.disk import DiskImage
from support.image_world import carve, missing
from support.small_disks_plain import make_disk


@pytest.fixture
def tree(tmp_path):
    top = tmp_path / "files"
    (top / "dir").mkdir(parents=True)
    (top / "small").write_bytes(b"small\n")
    (top / "other").hardlink_to(top / "small")
    (top / "dir/up").symlink_to("../small")
    (top / "dir/script").write_bytes(b"#!\n")
    (top / "dir/script").chmod(0o6755)
    with (top / "sparse").open("wb") as stream:
        stream.truncate(3 << 20)
        stream.write(b"begin")
    return top


@pytest.fixture
def image(tree, tmp_path):
    if reason := missing("mke2fs", "debugfs", "e2fsck", "fsck.vfat"):
        pytest.skip(reason)
    return make_disk(tree, tmp_path / "disk")


@pytest.fixture
def check(image, tmp_path):
    """Let those whose business it is look at both file systems."""

    def look():
        with DiskImage(str(image)) as disk:
            parts = [one.partition for one in disk.volumes]
        for part, argv in zip(parts, (["fsck.vfat", "-n"], ["e2fsck", "-fn"]), strict=True):
            file = carve(image, tmp_path / "part", part.offset, part.size_bytes)
            done = subprocess.run(
                [find_program(argv[0]), *argv[1:], file],
                check=False,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stdout

    return look
