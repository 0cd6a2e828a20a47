# SPDX-License-Identifier: Apache-2.0
"""What firmware and boot loader find on a disk, beside the root file system.

::

    U-Boot        FAT: boot.scr, ostrya0.env, ostrya1.env
    GRUB          FAT: EFI/BOOT/BOOTX64.EFI, EFI/BOOT/grub.cfg, ostrya/grubenv
                  first sector: boot.img; partition bios: core.img
    systemd-boot  FAT: EFI/BOOT/BOOTX64.EFI, and what is in /boot: loader.conf, entries, kernels

All of it is written once; what changes later is data. Files in which a loader or the device keep
the record of a trial are there from the start, in their full size: they are only ever written in
place.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from ostrya._linux.process import run
from ostrya.boot.backends.grub2_trial import STATE_FILE, make_stub
from ostrya.boot.backends.uboot_trial import (
    FORMAT,
    FORMAT_VARIABLE,
    STATE_BYTES,
    STATE_FILES,
    make_boot_script,
)
from ostrya.boot.grubenv import encode_grubenv
from ostrya.boot.trial import VARIABLES, Record
from ostrya.boot.uboot_env import encode_environment
from ostrya.boot.uboot_image import encode_script
from ostrya.image.errors import BoardError, LayoutError
from ostrya.image.fat import FatFile
from ostrya.image.firmware import THIS_MACHINE, find_path
from ostrya.image.mbr import BOOT_CODE_BYTES, SECTOR_BYTES
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.image.board import Board
    from ostrya.image.board_parts import GrubTarget
    from ostrya.image.firmware import FirmwarePlaces

ROOT_LABEL = "otaroot"
BOOT_LABEL = "boot"
GRUB_FOLDER = "EFI/BOOT"
# Debian's place; others have grub2 there.
_GRUB_PLACES = ("/usr/lib/grub", "/usr/lib/grub2", "/usr/share/grub2")
_BIOS = "i386-pc"
_GRUB_PACKAGES = {
    _BIOS: "grub-pc-bin", "x86_64-efi": "grub-efi-amd64-bin", "arm64-efi": "grub-efi-arm64-bin",
}  # fmt: skip
# Where boot.img says from which sector it loads, and from which drive.
_KERNEL_SECTOR, _DRIVE_CHECK = 0x5C, 0x66
# Where the first sector of core.img says what follows it: first sector, count, segment.
_BLOCK_LIST = struct.Struct("<QHH")
_BLOCK_LIST_AT = SECTOR_BYTES - _BLOCK_LIST.size
_CORE_SEGMENT = 0x820


class BootCode(NamedTuple):
    """What firmware of the old kind starts.

    Attributes:
        first: The beginning of the first sector.
        core: What it loads, from the partition ``bios``.
    """

    first: bytes
    core: bytes


def boot_files(board: Board, scratch: str, places: FirmwarePlaces = THIS_MACHINE) -> list[FatFile]:
    """Return the files of the FAT partition, but for what is in ``/boot``.

    Args:
        board: What for.
        scratch: A directory for files that are needed on the way.
        places: Where else loaders are, for which this machine has none.

    Raises:
        BoardError: A file that the board needs is not on this machine, nor there.
        CommandFailed: GRUB could not be built.
        OSError: Something cannot be read.
    """
    if board.script is not None:
        script = make_boot_script(board.script)
        image = encode_script(script, board.script_architecture, "ostrya")
        empty = {FORMAT_VARIABLE: FORMAT, **Record().to_variables()}
        state = encode_environment(empty, STATE_BYTES)
        return [FatFile("boot.scr", image), *(FatFile(name, state) for name in STATE_FILES)]
    if board.grub:
        stub = make_stub(f"--label {ROOT_LABEL}", console=board.grub_console)
        found = [
            FatFile(f"{GRUB_FOLDER}/grub.cfg", stub.encode()),
            FatFile(STATE_FILE, encode_grubenv(dict.fromkeys(VARIABLES, ""))),
        ]
        found += [
            FatFile(target.file, _build_grub(target, _efi_prefix(), scratch, places))
            for target in board.grub
            if target.file
        ]
        return found
    source = find_path(places, board.efi_source.lstrip("/")) or board.efi_source
    return [FatFile(board.efi_file, _read_host_file(source))]


def boot_code(board: Board, core_sector: int, boot_number: int, scratch: str) -> BootCode | None:
    """Return what firmware of the old kind starts; None where nothing does.

    Args:
        board: What for.
        core_sector: Where its core will be on the disk.
        boot_number: The number of the FAT partition, from 1.
        scratch: A directory for files that are needed on the way.

    Raises:
        BoardError: GRUB is not on this machine.
        CommandFailed: It could not be built.
        OSError: Something cannot be read.
    """
    target = next((target for target in board.grub if target.format == _BIOS), None)
    if target is None:
        return None
    prefix = f"(,gpt{boot_number})/{GRUB_FOLDER}"
    core = _build_grub(target, prefix, scratch)
    first = _read_host_file(f"{grub_folder(_BIOS)}/boot.img")
    return BootCode(place_boot_image(first, core_sector), place_core(core, core_sector))


def place_boot_image(image: bytes, core_sector: int) -> bytes:
    """Return GRUB's ``boot.img`` for the first sector of a disk, which loads a core from there."""
    if len(image) != SECTOR_BYTES:
        raise BoardError(f"GRUB's boot.img has {len(image)} bytes, not {SECTOR_BYTES}")
    code = bytearray(image[:BOOT_CODE_BYTES])
    struct.pack_into("<Q", code, _KERNEL_SECTOR, core_sector)
    # The drive is the one that firmware names, whatever that is.
    code[_DRIVE_CHECK : _DRIVE_CHECK + 2] = b"\x90\x90"
    return bytes(code)


def place_core(core: bytes, core_sector: int) -> bytes:
    """Return GRUB's core for a place on the disk, where it lies in one piece."""
    count = -(-len(core) // SECTOR_BYTES) - 1
    if count > 0xFFFF:
        raise LayoutError(f"a core of {len(core)} bytes is too large for GRUB to load")
    data = bytearray(core)
    _BLOCK_LIST.pack_into(data, _BLOCK_LIST_AT, core_sector + 1, count, _CORE_SEGMENT)
    return bytes(data)


def _efi_prefix() -> str:
    # Without a device: it is that of the file itself.
    return f"/{GRUB_FOLDER}"


def _build_grub(
    target: GrubTarget, prefix: str, scratch: str, places: FirmwarePlaces = THIS_MACHINE
) -> bytes:
    output = os.path.join(scratch, f"grub.{target.format}")
    folder = grub_folder(target.format, places)
    argv = [
        "grub-mkimage", "-O", target.format, "-d", folder, "-p", prefix, "-o", output,
        *target.modules,
    ]  # fmt: skip
    run(argv)
    with open(output, "rb") as stream:
        return stream.read()


def grub_folder(build: str, places: FirmwarePlaces = THIS_MACHINE) -> str:
    """Return the folder with the modules of a build of GRUB.

    Raises:
        BoardError: It is nowhere.
    """
    for place in _GRUB_PLACES:
        found = find_path(places, f"{place.lstrip('/')}/{build}")
        if found is not None:
            return found
    package = _GRUB_PACKAGES.get(build)
    hint = f"in Debian it is in {package}" if package else "name a folder that has it"
    raise BoardError(f"GRUB for {build} is not on this machine", hint=hint)


def _read_host_file(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        raise BoardError(
            f"{path} is not on this machine", hint="install the package that has it"
        ) from None
