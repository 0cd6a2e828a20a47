# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.checksum import Checksum
from ostrya.formats.dirtree import DirTree
from ostrya.image.errors import DiskError
from ostrya.image.reading.compare import (
    FileChange,
    How,
    PackageChange,
    Side,
    add_up,
    compare_files,
    compare_packages,
)
from ostrya.image.reading.objects import RepoObjects
from ostrya.image.reading.packages import Package
from ostrya.image.release import ReleaseOptions, commit_release
from support.image_world import ROOTFS, Member, link, write_tar


@pytest.fixture
def changed(repo, tmp_path):
    """A release with a bit of everything."""
    members = {
        **ROOTFS,
        "usr/bin/tool": Member(b"#!/bin/sh\n# longer\n", 0o755),
        "usr/share/new/file": Member(b"12345"),
        "usr/bin/capable": link("tool"),
        "usr/sbin": Member(None, 0o700),
    }
    del members["usr/bin/setuid"]
    path = write_tar(tmp_path / "changed.tar", members)
    return commit_release(repo, str(path), ReleaseOptions("other", 1700000009))


def test_files_are_added_removed_and_changed(repo, releases, changed):
    objects = RepoObjects(repo)
    changes = list(
        compare_files(Side(objects, releases[0].checksum), Side(objects, changed.checksum))
    )
    assert changes == [
        FileChange("/usr/bin/capable", How.CHANGED, 8, 4),
        FileChange("/usr/bin/setuid", How.REMOVED, 8, None),
        FileChange("/usr/bin/tool", How.CHANGED, 10, 19),
        FileChange("/usr/sbin/", How.CHANGED, 0, 0),
        FileChange("/usr/share/", How.ADDED, None, 0),
        FileChange("/usr/share/new/", How.ADDED, None, 0),
        FileChange("/usr/share/new/file", How.ADDED, None, 5),
    ]
    sums = add_up(changes)
    assert (sums.added, sums.removed, sums.changed) == (1, 1, 2)
    assert (sums.added_bytes, sums.removed_bytes, sums.old_bytes, sums.new_bytes) == (5, 8, 18, 23)
    assert sums.growth_bytes == 2


def test_the_same_differs_in_nothing(repo, releases):
    side = Side(RepoObjects(repo), releases[0].checksum)
    assert list(compare_files(side, side)) == []


class Deeper(RepoObjects):
    """Every directory holds another one."""

    count = 0

    def dirtree(self, checksum):
        self.count += 1
        return DirTree((), (("d", Checksum(f"{self.count:064x}"), Checksum("0" * 64)),))


def test_directories_without_end_are_an_error(repo, releases):
    old = Side(RepoObjects(repo), releases[0].checksum)
    with pytest.raises(DiskError, match="too deep"):
        list(compare_files(old, Side(Deeper(repo), releases[1].checksum)))


def test_packages_by_name_and_architecture():
    old = [Package("deb", "a", "1", "amd64"), Package("deb", "b", "1"), Package("deb", "c", "1")]
    new = [
        Package("deb", "a", "1", "amd64"),
        Package("deb", "b", "2"),
        Package("deb", "a", "1", "i386"),
    ]
    assert compare_packages(old, new) == [
        PackageChange("a:i386", How.ADDED, "", "1"),
        PackageChange("b", How.CHANGED, "1", "2"),
        PackageChange("c", How.REMOVED, "1", ""),
    ]
