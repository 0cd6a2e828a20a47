# SPDX-License-Identifier: Apache-2.0
"""Whether a board's description can work: on this machine, and by what its ROM wants.

What cannot be started here is checked for what firmware looks at: the partition table, where the
first partition is and of what kind, which files are on it.
"""

from __future__ import annotations

import os
import shutil
from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.boot.backends.grub2_trial import STATE_FILE
from ostrya.boot.backends.uboot_trial import STATE_FILES, make_boot_script
from ostrya.image.bootloader_install import grub_folder
from ostrya.image.disk_layout import PartitionWish, plan_disk
from ostrya.image.errors import BoardError
from ostrya.image.fat import FAT32_FROM_BYTES
from ostrya.image.firmware import find_firmware, find_path, is_provided
from ostrya.image.gpt import TYPE_LINUX
from ostrya.image.mbr import TYPE_ESP_MBR, TYPE_FAT32_LBA
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.image.board import Board
    from ostrya.image.board_parts import BoardPartition, Rom
    from ostrya.image.firmware import FirmwarePlaces

_MIB = 1 << 20
_MOST_SCRIPT_BYTES = 16 * 1024
# What every disk needs, and a root file system of some size.
_PROGRAMS = (("mke2fs", "e2fsprogs"),)
_ROOT_BYTES = 256 * _MIB


class State(StrEnum):
    """How something is."""

    OK = "ok"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        what: What it is, in a few words.
        state: How it is.
        detail: What was seen, or what is wrong and what to do.
    """

    what: str
    state: State
    detail: str


def check_board(board: Board, places: FirmwarePlaces) -> list[Finding]:
    """Look at a board's description.

    Args:
        board: The board.
        places: Where its firmware may be.
    """
    return [*_layout(board), *_loader(board, places), *_firmware(board, places), *_rom(board),
            *_programs(board, places)]  # fmt: skip


def ok(what: str, detail: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(what, State.OK, detail)


def problem(what: str, detail: str) -> Finding:
    """Say that something is not as it should be."""
    return Finding(what, State.PROBLEM, detail)


def boot_partition(board: Board) -> BoardPartition:
    """Return the FAT partition."""
    return next(one for one in board.partitions if one.role == "boot")


def loader_files(board: Board) -> list[str]:
    """List what the image builder itself puts on the FAT partition."""
    if board.script is not None:
        return ["boot.scr", *STATE_FILES]
    if board.grub:
        return ["EFI/BOOT/grub.cfg", STATE_FILE, *(one.file for one in board.grub if one.file)]
    return [board.efi_file]


def _layout(board: Board) -> Iterator[Finding]:
    wishes = [
        PartitionWish(one.role, TYPE_LINUX, one.size_mib * _MIB or _ROOT_BYTES)
        for one in board.partitions
    ]
    plan = plan_disk(wishes, seed="", table=board.table, first_mib=board.first_mib)
    shown = ", ".join(
        f"{number} {one.role} at {plan.offset(number - 1) // _MIB} MiB"
        for number, one in enumerate(board.partitions, 1)
    )
    yield ok("partitions", f"{board.table}: {shown}")
    if not board.kernel:
        yield problem("kernel", "the description does not say what kind of kernel it starts")
    else:
        yield ok("kernel", f"{board.kernel} for {board.architecture}")


def _loader(board: Board, places: FirmwarePlaces) -> Iterator[Finding]:
    if board.script is not None:
        script = make_boot_script(board.script)
        size = len(script.encode())
        if size > _MOST_SCRIPT_BYTES:
            yield problem("boot script", f"it has {size} bytes, too many for some boards")
        else:
            yield ok("boot script", f"{board.script.boot_command}, {size} bytes")
    for target in board.grub:
        try:
            folder = grub_folder(target.format, places)
        except BoardError as exc:
            yield problem(f"GRUB {target.format}", _told(exc))
            continue
        missing = [one for one in target.modules if not os.path.exists(f"{folder}/{one}.mod")]
        if missing:
            yield problem(f"GRUB {target.format}", f"{folder} has no {', '.join(missing)}")
        else:
            yield ok(f"GRUB {target.format}", f"{len(target.modules)} modules in {folder}")
    if board.efi_file:
        source = find_path(places, board.efi_source.lstrip("/"))
        if source is None:
            yield problem("systemd-boot", f"{board.efi_source} is not on this machine")
        else:
            yield ok("systemd-boot", source)


def _firmware(board: Board, places: FirmwarePlaces) -> Iterator[Finding]:
    if not board.firmware and not board.texts:
        return
    try:
        found = find_firmware(board, places)
    except BoardError as exc:
        yield problem("firmware", _told(exc))
        return
    for name, source in found.sources:
        yield ok(f"firmware {name}", source)
    end = 512 if board.table == "mbr" else 34 * 512
    for offset, data in sorted(found.raw, key=lambda one: one[0]):
        if offset < end or offset + len(data) > board.first_mib * _MIB:
            yield problem(
                f"firmware at {offset // 1024} KiB",
                f"its {len(data)} bytes overlap what is before it, or the first partition",
            )
        end = offset + len(data)


def _rom(board: Board) -> Iterator[Finding]:
    rom = board.rom
    if rom is None:
        yield Finding("ROM", State.UNKNOWN, "the description has no [rom]: nothing is known of it")
        return
    yield from _rom_partition(board, rom)
    provided = loader_files(board)
    missing = [one for one in rom.files if one not in provided and not is_provided(board, one)]
    if missing:
        yield problem("ROM's files", f"nothing brings {', '.join(missing)}")
    else:
        yield ok("ROM's files", ", ".join(rom.files))


def _rom_partition(board: Board, rom: Rom) -> Iterator[Finding]:
    boot = boot_partition(board)
    kind = "fat32" if boot.size_mib * _MIB >= FAT32_FROM_BYTES else "fat16"
    wrong = []
    if board.table not in rom.tables:
        wrong.append(f"it reads {' and '.join(rom.tables)}, not {board.table}")
    if kind not in rom.fat_kinds:
        wrong.append(f"it reads {' and '.join(rom.fat_kinds)}, not {kind}")
    if rom.active and boot.is_esp:
        wrong.append("it wants the partition marked as active, which one of EFI is not")
    mbr_type = TYPE_ESP_MBR if boot.is_esp else TYPE_FAT32_LBA
    if rom.partition_type and board.table == "mbr" and rom.partition_type != mbr_type:
        wrong.append(f"it wants the type {rom.partition_type:#04x}, not {mbr_type:#04x}")
    if wrong:
        yield problem("ROM", "; ".join(wrong))
    else:
        yield ok("ROM", f"reads {kind} in a table of the kind {board.table}")


def _programs(board: Board, places: FirmwarePlaces) -> Iterator[Finding]:
    wanted = [*_PROGRAMS]
    if board.grub:
        wanted.append(("grub-mkimage", "grub-common"))
    for name, package in wanted:
        if shutil.which(name, path=f"{os.defpath}:/usr/sbin:/sbin") is None:
            yield problem(name, f"it is not on this machine; in Debian it is in {package}")
    if board.qemu is None:
        yield Finding("QEMU", State.UNKNOWN, "it has no machine of this kind")
        return
    absent = [one for one in board.qemu.firmware if find_path(places, one.lstrip("/")) is None]
    if shutil.which(board.qemu.program) is None:
        yield Finding("QEMU", State.UNKNOWN, f"{board.qemu.program} is not on this machine")
    elif absent:
        yield Finding("QEMU", State.UNKNOWN, f"this machine has no {', '.join(absent)}")
    else:
        yield ok("QEMU", board.qemu.program)


def _told(exc: BoardError) -> str:
    return f"{exc.message}; {exc.hint}" if exc.hint else exc.message
