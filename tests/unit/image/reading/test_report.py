# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct

import pytest

from ostrya.formats.keyfile import KeyFile
from ostrya.image.reading.disk import DiskImage
from ostrya.image.reading.report import board_of, describe, make_report, view_reader
from ostrya.image.reading.system import find_system
from support.image_artifacts import make_artifacts
from support.image_world import missing

pytestmark = pytest.mark.skipif(bool(missing("mke2fs", "debugfs")), reason="no mke2fs")


@pytest.fixture
def artifacts(repo, releases, tmp_path):
    return make_artifacts(repo, [releases[1].checksum], tmp_path / "build")


def test_it_says_all_there_is(artifacts):
    with DiskImage(artifacts.disk) as disk:
        report = make_report(disk)
        found = describe(disk, report)
    assert report.faults == []
    assert [one["file_system"] for one in found["partitions"]] == ["fat16", "ext4"]
    assert found["partitions"][1]["label"] == "otaroot"
    assert found["deployments"][0]["version"] == "2"
    assert found["remotes"] == {"vendor": "https://example.com/repo"}
    assert found["format"] == "raw"


def test_the_board_is_what_the_repository_says(artifacts):
    with DiskImage(artifacts.disk) as disk:
        system = find_system(disk)
        assert board_of(system) == ""
        system.config = KeyFile.parse("[ostrya]\nboard=qemu-arm64\n")
        assert board_of(system) == "qemu-arm64"


def test_faults_of_file_systems(artifacts):
    with open(artifacts.disk, "r+b") as stream:
        at = artifacts.plan.offset(1) + 1024 + 0x60
        stream.seek(at)
        flags = struct.unpack("<I", stream.read(4))[0]
        stream.seek(at)
        stream.write(struct.pack("<I", flags | 4))
        stream.truncate(artifacts.plan.offset(1) + artifacts.plan.size(1) - 4096)
    with DiskImage(artifacts.disk) as disk:
        words = " | ".join(make_report(disk).faults)
    assert "partition 2 was not unmounted" in words
    assert "partition 2 ends behind the end" in words
    assert "second copy of the partition table" in words


def test_a_view_is_read_as_packages_need_it(artifacts):
    with DiskImage(artifacts.disk) as disk:
        system = find_system(disk)
        read = view_reader(system.view(system.default))
        assert read("/etc/new", 10) == b"new\n"
        assert read("/nothing", 10) is None
