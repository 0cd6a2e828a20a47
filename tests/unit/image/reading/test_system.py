# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess

import pytest

from ostrya.image.errors import DiskError
from ostrya.image.filesystem import find_program
from ostrya.image.reading.addresses import Address, view_at
from ostrya.image.reading.disk import DiskImage
from ostrya.image.reading.system import find_system, usual_view
from support.image_artifacts import REF, make_artifacts
from support.image_world import missing

pytestmark = pytest.mark.skipif(bool(missing("mke2fs", "debugfs")), reason="no mke2fs")


@pytest.fixture
def artifacts(repo, releases, tmp_path):
    return make_artifacts(repo, [one.checksum for one in releases], tmp_path / "build")


@pytest.fixture
def disk(artifacts):
    with DiskImage(artifacts.disk) as disk:
        yield disk


def debugfs(artifacts, *commands):
    at = artifacts.plan.offset(1)
    for command in commands:
        argv = [find_program("debugfs"), "-w", "-R", command, f"{artifacts.disk}?offset={at}"]
        subprocess.run(argv, check=True, capture_output=True)


def test_deployments_come_in_the_order_of_the_loader(disk, releases):
    system = find_system(disk)
    assert [one.name.checksum for one in system.deployments] == [
        releases[1].checksum, releases[0].checksum,
    ]  # fmt: skip
    first, second = system.deployments
    assert (first.is_default, second.is_default) == (True, False)
    assert (first.version, first.timestamp) == ("2", 1700000001)
    assert first.refspec == f"vendor:{REF}"
    assert "ostree=/ostree/boot." in first.options
    assert first.kernel.endswith("vmlinuz-6.1.0-test")
    assert system.faults == []
    assert system.default == first


def test_refs_and_remotes(disk, releases):
    system = find_system(disk)
    assert (f"vendor:{REF}", releases[1].checksum) in system.refs()
    assert system.remotes() == [("vendor", "https://example.com/repo")]


def test_a_view_is_what_the_system_will_see(disk):
    view = usual_view(disk)
    assert view.read("/usr/bin/tool", max_bytes=99) == b"#!/bin/sh\n# 2\n"
    assert view.read("/etc/new", max_bytes=99) == b"new\n"
    assert view.read("/sbin/init", max_bytes=99) == b"#!/bin/sh\n# 2\n"
    assert view.read("/var/lib/thing/state", max_bytes=99) == b"begins\n"
    assert view.read("/home/user/file", max_bytes=99) == b"mine\n"
    assert view.read("/ostree/repo/config", max_bytes=9999).startswith(b"[core]")
    assert view.find("/boot/loader/entries").entry.is_dir
    assert view.find("/etc/shadow").entry.gid == 42


def test_other_deployments_are_counted_from_the_default_one(disk, artifacts):
    for name, text in (("@0", b"#!/bin/sh\n# 2\n"), ("@1", b"#!/bin/sh\n")):
        view = view_at(disk, Address(artifacts.disk, name, "/"))
        assert view.read("/usr/bin/tool", max_bytes=99) == text
    for name in ("@2", "@x", "@"):
        with pytest.raises(DiskError, match=f"no deployment {name}") as caught:
            view_at(disk, Address(artifacts.disk, name, "/"))
        assert caught.value.hint == "it has @0, @1"


def test_kernels_on_a_fat_are_found_there(disk):
    system = find_system(disk)
    system.boot = disk.volume("boot")
    assert system.view(system.default).find("/boot/EFI/BOOT/BOOTX64.EFI").entry.size_bytes == 30000


def test_nothing_that_boots_is_a_fault(artifacts):
    debugfs(
        artifacts,
        "rm /boot/loader/entries/ostree-1.conf",
        "rm /boot/loader/entries/ostree-2.conf",
    )
    with DiskImage(artifacts.disk) as disk:
        system = find_system(disk)
        assert len(system.deployments) == 2
        assert system.faults == ["no boot entry leads to a deployment"]
        with pytest.raises(DiskError, match="nothing is deployed"):
            assert system.default


def test_entries_that_lead_nowhere_and_lost_commits_are_faults(artifacts, releases):
    new = releases[1].checksum
    debugfs(
        artifacts,
        "rm /boot/loader/entries/ostree-1.conf",
        f"rm /ostree/repo/objects/{new[:2]}/{new[2:]}.commit",
        "rm /ostree/boot.0",
        "rm /ostree/boot.1",
    )
    with DiskImage(artifacts.disk) as disk:
        system = find_system(disk)
        words = " | ".join(system.faults)
        assert "a boot entry leads nowhere" in words
        assert "the commit of a deployment" in words
        assert {one.version for one in system.deployments} == {"", "1"}


def test_an_image_without_a_system_has_none(make_ext4, tree):
    with DiskImage(str(make_ext4(tree))) as disk:
        assert find_system(disk) is None
        assert usual_view(disk).read("/small", max_bytes=99) == b"small\n"


def test_what_cannot_be_read_says_why(tmp_path):
    path = tmp_path / "swap"
    path.write_bytes(bytes(4086) + b"SWAPSPACE2" + bytes(8000))
    assert os.path.getsize(path)
    with DiskImage(str(path)) as disk, pytest.raises(DiskError, match="no file system that can"):
        usual_view(disk)
