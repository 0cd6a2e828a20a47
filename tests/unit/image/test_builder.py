# SPDX-License-Identifier: Apache-2.0
import os
import re
import subprocess

import pytest

from ostrya.image.board import load_board
from ostrya.image.builder import DiskOptions, build_disk
from ostrya.image.errors import LayoutError
from ostrya.image.filesystem import find_program
from support.image_world import KVER, carve, debugfs, look, missing, read_back

REASON = missing("mke2fs", "debugfs", "grub-mkimage", "sgdisk", "fsck.vfat", "mdir", "minfo")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "none")
OPTIONS = DiskOptions("os/stable", 1700000000)
BOARDS = ("qemu-arm64", "qemu-x86_64", "qemu-x86_64-systemd-boot")


def build(repo, releases, path, name="qemu-arm64", options=OPTIONS):
    commits = [release.checksum for release in releases]
    return build_disk(repo, commits, load_board(name), str(path), options)


@pytest.mark.parametrize("name", BOARDS)
def test_all_checkers_are_content(repo, releases, tmp_path, name):
    disk = build(repo, releases, tmp_path / "disk", name)
    argv = [find_program("sgdisk"), "-v", disk.path]
    assert (
        "No problems found"
        in subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    )
    for at, one in enumerate(disk.plan.partitions):
        part = carve(
            tmp_path / "disk", tmp_path / one.name, disk.plan.offset(at), disk.plan.size(at)
        )
        checker = {"root": ["e2fsck", "-fn"], "boot": ["fsck.vfat", "-n"]}.get(one.name)
        if checker:
            subprocess.run(
                [find_program(checker[0]), checker[1], part], capture_output=True, check=True
            )
    assert sorted(set(os.listdir(tmp_path)) - {"repo", "one.tar", "two.tar", "bios"}) == [
        "boot",
        "disk",
        "root",
    ]


def test_the_root_has_the_system_in_it(repo, releases, tmp_path):
    disk = build(repo, releases[:1], tmp_path / "disk")
    root = carve(tmp_path / "disk", tmp_path / "root", disk.plan.offset(1), disk.plan.size(1))
    deployment = f"/ostree/deploy/os/deploy/{releases[0].checksum}.0"
    assert look(root, deployment).flags & 0x10
    assert look(root, f"{deployment}/usr/bin/setuid").mode == 0o4755
    assert look(root, f"{deployment}/etc/shadow")[:3] == (0o640, 0, 42)
    assert look(root, "/ostree").mode == 0o700
    assert "security.capability" in look(root, f"{deployment}/usr/bin/capable").text
    text = read_back(root, "/boot/loader.1/uEnv.txt")
    assert "bootargs=root=LABEL=otaroot rootfstype=ext4 panic=5 console=ttyAMA0 ostree=" in text
    assert f"/vmlinuz-{KVER}" in text
    boot = carve(tmp_path / "disk", tmp_path / "boot", disk.plan.offset(0), disk.plan.size(0))
    volume = subprocess.run(["minfo", "-i", boot, "::"], capture_output=True, text=True, check=True)
    number = re.search(r"serial number: ([0-9A-F]{8})", volume.stdout)[1]
    tag = f"rollback-state=UUID={number[:4]}-{number[4:]}"
    assert tag in read_back(root, "/ostree/repo/config")
    assert "otaroot" in debugfs(root, "show_super_stats -h")


def test_with_systemd_boot_kernels_and_entries_are_on_the_fat(repo, releases, tmp_path):
    disk = build(repo, releases, tmp_path / "disk", "qemu-x86_64-systemd-boot")
    boot = carve(tmp_path / "disk", tmp_path / "boot", disk.plan.offset(0), disk.plan.size(0))
    listed = subprocess.run(
        ["mdir", "-/", "-b", "-i", boot, "::"], capture_output=True, text=True, check=True
    )
    names = [line.removeprefix("::/") for line in listed.stdout.split()]
    assert {"EFI/BOOT/BOOTX64.EFI", "loader/loader.conf"} <= set(names)
    assert len([name for name in names if name.startswith("ostree/") and "vmlinuz" in name]) == 1
    entries = sorted(name for name in names if name.startswith("loader/entries/ostree-"))
    assert len(entries) == 2
    assert entries[-1].endswith("+3.conf")
    root = carve(tmp_path / "disk", tmp_path / "root", disk.plan.offset(1), disk.plan.size(1))
    assert "loader" not in debugfs(root, "ls /boot")


def test_the_same_comes_out_again_under_another_umask_elsewhere(repo, releases, tmp_path):
    first = build(repo, releases, tmp_path / "first", "qemu-x86_64")
    before = os.umask(0o077)
    try:
        (tmp_path / "elsewhere").mkdir()
        again = build(repo, releases, tmp_path / "elsewhere/again", "qemu-x86_64")
    finally:
        os.umask(before)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "elsewhere/again").read_bytes()
    other = OPTIONS._replace(kargs=("quiet",))
    third = build(repo, releases, tmp_path / "third", "qemu-x86_64", other)
    assert first.plan == again.plan
    assert third.plan.guid != first.plan.guid


def test_a_disk_has_the_size_that_was_asked_for(repo, releases, tmp_path):
    size = 300 << 20
    disk = build(repo, releases, tmp_path / "disk", options=OPTIONS._replace(size_bytes=size))
    assert os.path.getsize(disk.path) == size


def test_a_disk_that_is_too_small_leaves_nothing(repo, releases, tmp_path):
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(LayoutError, match="and the disk has 20"):
        build(repo, releases, tmp_path / "disk", options=OPTIONS._replace(size_bytes=20 << 20))
    assert sorted(os.listdir(tmp_path)) == before


def test_what_it_is_made_of_is_there_until_it_was_used(repo, releases, tmp_path):
    seen = []

    def use(parts):
        seen.append(parts)
        assert os.path.isdir(f"{parts.sysroot}/ostree/repo/objects")
        assert os.path.getsize(parts.root_image) == parts.plan.size(1)
        assert "boot.scr" in [file.path for file in parts.boot_files]

    commits = [releases[0].checksum]
    disk = build_disk(
        repo, commits, load_board("qemu-arm64"), str(tmp_path / "disk"), OPTIONS, use=use
    )
    assert (seen[0].disk, seen[0].plan) == (disk.path, disk.plan)
    assert not os.path.exists(seen[0].sysroot)
