# SPDX-License-Identifier: Apache-2.0
"""Images of boards that cannot run here, with the firmware that Debian has for them.

What a board's ROM looks for is looked for by other programs than ours: sfdisk, fsck.vfat, mtools.
"""

from __future__ import annotations

import gzip
import json
import subprocess

import pytest

import board_firmware
from ostrya.image.board import load_board
from ostrya.image.board_check import State, check_board
from ostrya.image.board_image import check_image
from ostrya.image.builder import DiskOptions, build_disk
from ostrya.image.filesystem import find_program
from ostrya.image.firmware import FirmwarePlaces
from ostrya.image.reading.disk import DiskImage
from ostrya.image.release import ReleaseOptions, commit_release
from support.image_world import KVER, ROOTFS, Member, carve, missing, write_tar
from support.small_repos import make_repo

REASON = missing("mke2fs", "debugfs", "sfdisk", "fsck.vfat", "mtype", "apt-get", "grub-mkimage")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "none")
# By their magic only: nobody starts them.
KERNELS = {
    "aarch64": bytes(0x38) + b"ARM\x64" + bytes(4096),
    "armv7l": bytes(0x24) + b"\x18\x28\x6f\x01" + bytes(4096),
}
DEVICETREES = (
    "broadcom/bcm2837-rpi-3-b.dtb",
    "broadcom/bcm2711-rpi-4-b.dtb",
    "am335x-boneblack.dtb",
)
# What boot.scr asks of U-Boot, as its configuration calls it.
COMMANDS = (
    "CMD_IMPORTENV", "CMD_EXPORTENV", "CMD_SOURCE", "CMD_SLEEP", "CMD_FS_GENERIC", "FS_EXT4",
    "FAT_WRITE", "HUSH_PARSER", "OF_LIBFDT_OVERLAY", "LEGACY_IMAGE_FORMAT", "DISTRO_DEFAULTS",
)  # fmt: skip
UBOOTS = {
    "raspberrypi3": ("u-boot-rpi/configs/config.rpi_3.gz", "CMD_BOOTI"),
    "raspberrypi4": ("u-boot-rpi/configs/config.rpi_4.gz", "CMD_BOOTI"),
    "beaglebone-black": ("u-boot-omap/configs/config.am335x_evm.gz", "CMD_BOOTZ"),
}
SIGNS = {
    "raspberrypi3": {"bootcode.bin": b"", "start.elf": b"\x7fELF", "u-boot.bin": b""},
    "raspberrypi4": {"start4.elf": b"\x7fELF", "fixup4.dat": b"", "u-boot.bin": b""},
    # A header that the processor's ROM knows: size and address, then the code.
    "beaglebone-black": {"MLO": b"\x40\0\0\0", "u-boot.img": b""},
}


@pytest.fixture(scope="module")
def firmware():
    try:
        return board_firmware.fetch()
    except (OSError, subprocess.CalledProcessError) as exc:
        pytest.skip(f"Debian's packages cannot be had: {exc}")


def build(board, firmware, tmp_path):
    tree = {
        **ROOTFS,
        f"boot/vmlinuz-{KVER}": Member(KERNELS[board.architecture]),
        **{f"usr/lib/modules/{KVER}/dtb/{name}": Member(b"a tree") for name in DEVICETREES},
    }
    rootfs = write_tar(tmp_path / "rootfs.tar", tree)
    options = DiskOptions("os/stable", 1700000000)
    with make_repo(tmp_path / "repo") as repo:
        release = commit_release(repo, str(rootfs), ReleaseOptions(options.ref, options.timestamp))
        target = str(tmp_path / "disk")
        commits = [release.checksum]
        return build_disk(repo, commits, board, target, options, firmware=str(firmware))


@pytest.mark.parametrize("name", UBOOTS)
def test_what_a_rom_finds(name, firmware, tmp_path):
    board = load_board(name)
    disk = build(board, firmware, tmp_path)
    said = subprocess.run(
        [find_program("sfdisk"), "--json", disk.path], capture_output=True, check=True
    )
    table = json.loads(said.stdout)["partitiontable"]
    boot, root = table["partitions"]
    assert table["label"] == "dos"
    assert (boot["type"], boot["bootable"], boot["start"]) == ("c", True, 4 * 2048)
    assert (root["type"], "bootable" in root) == ("83", False)
    part = carve(tmp_path / "disk", tmp_path / "boot", boot["start"] * 512, boot["size"] * 512)
    subprocess.run([find_program("fsck.vfat"), "-n", part], capture_output=True, check=True)
    for file, sign in SIGNS[name].items():
        argv = ["mtype", "-i", str(part), f"::{file}"]
        data = subprocess.run(argv, capture_output=True, check=True).stdout
        original = next(firmware.glob(f"usr/lib/*/{file}"), None)
        if original is not None:
            assert data == original.read_bytes()
        assert sign in data[:4096]
        assert len(data) > 1000
    with DiskImage(disk.path) as image:
        found = check_image(board, image)
    assert [one for one in found if one.state is State.PROBLEM] == []


@pytest.mark.parametrize("name", UBOOTS)
def test_its_u_boot_has_what_the_script_asks_for(name, firmware):
    path, start = UBOOTS[name]
    text = gzip.decompress((firmware / "usr/share/doc" / path).read_bytes()).decode()
    lines = text.splitlines()
    assert [one for one in (*COMMANDS, start) if f"CONFIG_{one}=y" not in lines] == []
    # An import names what it imports, command and options included.
    most = next(line for line in lines if line.startswith("CONFIG_SYS_MAXARGS="))
    assert int(most.partition("=")[2]) >= 16


def test_grub_of_another_architecture(firmware, tmp_path):
    board = load_board("generic-uefi-arm64")
    disk = build(board, firmware, tmp_path)
    with DiskImage(disk.path) as image:
        found = check_image(board, image)
    assert [one for one in found if one.state is State.PROBLEM] == []
    part = carve(tmp_path / "disk", tmp_path / "boot", disk.plan.offset(0), disk.plan.size(0))
    argv = ["mtype", "-i", str(part), "::EFI/BOOT/BOOTAA64.EFI"]
    data = subprocess.run(argv, capture_output=True, check=True).stdout
    at = int.from_bytes(data[0x3C:0x40], "little")
    assert data[:2] == b"MZ"
    # The machine that a program for UEFI is for.
    assert data[at : at + 6] == b"PE\0\0\x64\xaa"


@pytest.mark.parametrize("name", ["raspberrypi3", "raspberrypi4", "beaglebone-black"])
def test_the_checker_finds_it_all_but_device_trees(name, firmware):
    found = check_board(load_board(name), FirmwarePlaces(str(firmware)))
    wrong = [one.detail for one in found if one.state is State.PROBLEM]
    assert not [one for one in wrong if ".dtb" not in one], wrong
