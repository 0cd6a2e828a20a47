# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.image.errors import DiskError
from ostrya.image.reading.compare import FileChange, How, compare_files
from ostrya.image.reading.disk import DiskImage
from ostrya.image.reading.releases import compare_boot, compare_disks, of_commit, of_image
from support import image_artifacts
from support.image_artifacts import make_artifacts
from support.image_world import missing
from support.small_disks_plain import make_disk

pytestmark = pytest.mark.skipif(bool(missing("mke2fs", "debugfs")), reason="no mke2fs")


def test_an_image_and_a_release_are_compared(repo, releases, tmp_path):
    artifacts = make_artifacts(repo, [releases[0].checksum], tmp_path / "build")
    with DiskImage(artifacts.disk) as disk:
        old, new = of_image(disk), of_commit(repo, releases[1].checksum, "new")
        assert (old.version, new.version) == ("1", "2")
        assert old.options == "root=LABEL=otaroot quiet"
        assert list(compare_files(old.side, new.side)) == [
            FileChange("/usr/bin/tool", How.CHANGED, 10, 14),
            FileChange("/usr/etc/new", How.ADDED, None, 4),
        ]


def test_an_image_without_a_system_is_none(tree, tmp_path):
    with (
        DiskImage(str(make_disk(tree, tmp_path / "disk"))) as disk,
        pytest.raises(DiskError, match="no OSTree system"),
    ):
        of_image(disk)


def test_partitions_and_files_of_the_fat(repo, releases, tmp_path, monkeypatch):
    commits = [releases[0].checksum]
    old = make_artifacts(repo, commits, tmp_path / "a")
    files = (
        *image_artifacts.BOOT_FILES[1:],
        image_artifacts.FatFile("boot.scr", b"SCRIPT\n" * 300),
        image_artifacts.FatFile("more", b"1"),
    )
    monkeypatch.setattr(image_artifacts, "BOOT_FILES", files)
    new = make_artifacts(repo, commits, tmp_path / "b", root_mib=25)
    with DiskImage(old.disk) as one, DiskImage(new.disk) as other:
        assert compare_disks(one, other) == [
            f"partition 2: size {24 << 20} -> {25 << 20}",
        ]
        assert list(compare_boot(one, other)) == [
            FileChange("1:/boot.scr", How.CHANGED, 2100, 2100),
            FileChange("1:/more", How.ADDED, None, 1),
        ]
        other.volumes = other.volumes[1:]
        assert "partition 1 is gone" in compare_disks(one, other)
