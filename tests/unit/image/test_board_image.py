# SPDX-License-Identifier: Apache-2.0
"""A disk for a Raspberry Pi with made-up firmware, whole and damaged."""

import subprocess

import pytest

from ostrya.image.board import board_text, load_board, parse_board
from ostrya.image.board_check import State
from ostrya.image.board_image import check_image
from ostrya.image.builder import DiskOptions, build_disk
from ostrya.image.reading.disk import DiskImage
from ostrya.image.release import ReleaseOptions, commit_release
from support.image_world import ROOTFS, missing, write_tar
from support.small_repos import make_repo

REASON = missing("mke2fs", "debugfs", "mdel", "mcopy")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "none")
FIRMWARE = ("bootcode.bin", "start.elf", "fixup.dat", "u-boot.bin", "bcm2837-rpi-3-b.dtb")
BOARD = load_board("raspberrypi3")
BOOT_AT = 4 << 20


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pi")
    for name in FIRMWARE:
        (folder / name).write_bytes(name.encode())
    rootfs = write_tar(folder / "rootfs.tar", ROOTFS)
    options = DiskOptions("os/stable", 1700000000)
    with make_repo(folder / "repo") as repo:
        release = commit_release(repo, str(rootfs), ReleaseOptions(options.ref, options.timestamp))
        target = str(folder / "disk")
        return build_disk(repo, [release.checksum], BOARD, target, options, firmware=str(folder))


@pytest.fixture
def disk(made, tmp_path):
    target = tmp_path / "disk"
    subprocess.run(["cp", "--sparse=always", made.path, target], check=True)
    return target


def problems(disk, board=BOARD):
    with DiskImage(str(disk)) as image:
        found = check_image(board, image)
    return [f"{one.what}: {one.detail}" for one in found if one.state is State.PROBLEM]


def test_all_that_its_rom_wants_is_there(disk):
    assert problems(disk) == []


def put(disk, name, data):
    source = disk.with_name("source")
    source.write_bytes(data)
    subprocess.run(["mcopy", "-o", "-i", f"{disk}@@{BOOT_AT}", source, f"::{name}"], check=True)


@pytest.mark.parametrize("name", ["bootcode.bin", "config.txt", "boot.scr", "ostrya0.env"])
def test_a_file_that_is_gone(disk, name):
    subprocess.run(["mdel", "-i", f"{disk}@@{BOOT_AT}", f"::{name}"], check=True)
    assert f"{name}: it is not on the boot partition, or empty" in problems(disk)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("boot.scr", "boot.scr: "),
        ("ostrya1.env", "ostrya1.env: "),
        ("config.txt", "config.txt: it is not what the description says"),
    ],
)
def test_a_file_that_is_another(disk, name, words):
    put(disk, name, b"something else" * 50)
    assert any(one.startswith(words) for one in problems(disk)), problems(disk)


@pytest.mark.parametrize(
    ("at", "data", "words"),
    [
        (446, b"\0", "ROM: the boot partition is not marked as active"),
        (450, b"\x0e", "ROM: the boot partition's type is 0x0e, not 0x0c"),
        (BOOT_AT, bytes(512), "boot partition: it holds no FAT file system"),
        (510, b"\0\0", None),
    ],
)
def test_a_table_that_is_another(disk, at, data, words):
    with disk.open("r+b") as stream:
        stream.seek(at)
        stream.write(data)
    if words is None:
        with pytest.raises(Exception, match="neither a partition table nor a file system"):
            problems(disk)
        return
    assert words in problems(disk)


def test_a_kernel_that_is_gone(disk, made):
    listing = f"{disk}?offset={made.plan.offset(1)}"
    entry = subprocess.run(
        ["/usr/sbin/debugfs", "-R", "cat /boot/loader.1/entries/ostree-1.conf", listing],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    kernel = next(line.split()[1] for line in entry.splitlines() if line.startswith("linux"))
    argv = ["/usr/sbin/debugfs", "-w", "-R", f"rm /boot{kernel}", listing]
    subprocess.run(argv, capture_output=True, check=True)
    assert any(f"its linux {kernel} is not there" in one for one in problems(disk))


def test_an_image_of_another_board(disk):
    found = problems(disk, load_board("qemu-arm64"))
    assert "partition table: it is mbr, not gpt" in found
    text = board_text("raspberrypi3").replace("[rom]", '[rom]\nfat = ["fat16"]')
    assert "ROM: it reads fat16, not fat32" in problems(disk, parse_board(text, "here"))
