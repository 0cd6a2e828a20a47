# SPDX-License-Identifier: Apache-2.0
"""Whether an image has what a board's firmware and loader look for, read from the image alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.backends.grub2_trial import STATE_FILE
from ostrya.boot.backends.uboot_trial import FORMAT, FORMAT_VARIABLE, STATE_FILES
from ostrya.boot.grubenv import decode_grubenv
from ostrya.boot.uboot_env import decode_environment
from ostrya.boot.uboot_image import ImageType, decode_image
from ostrya.errors import BootloaderError
from ostrya.image.board_check import loader_files, ok, problem
from ostrya.image.bootloader_install import ROOT_LABEL
from ostrya.image.errors import DiskError
from ostrya.image.kernel_image import HEAD_BYTES, identify
from ostrya.image.reading.files import FileKind, View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.image.board import Board
    from ostrya.image.board_check import Finding
    from ostrya.image.reading.disk import DiskImage, Volume
    from ostrya.image.reading.files import FileSystem

_MIB = 1 << 20
_MOST_BYTES = 64 << 20
_MOST_ENTRIES = 64


def check_image(board: Board, image: DiskImage) -> list[Finding]:
    """Look at an image of a board.

    Raises:
        DiskError: It is damaged.
    """
    found = list(_table(board, image))
    boot = _volume(board, image, "boot")
    root = _volume(board, image, "root")
    if boot is None or boot.files is None or not boot.kind.startswith("fat"):
        return [*found, problem("boot partition", "it holds no FAT file system")]
    found += _boot(board, boot, boot.files)
    if root is None or root.files is None or root.kind != "ext4":
        return [*found, problem("root partition", "it holds no ext4")]
    view = View(root.files)
    if board.boot_on_fat:
        view.mount("/boot", boot.files)
    return [*found, *_root(board, root.files, view)]


def _volume(board: Board, image: DiskImage, role: str) -> Volume | None:
    number = [one.role for one in board.partitions].index(role) + 1
    return next((one for one in image.volumes if one.partition.number == number), None)


def _table(board: Board, image: DiskImage) -> Iterator[Finding]:
    table = image.table
    for fault in table.faults:
        yield problem("partition table", fault)
    if table.kind != board.table:
        yield problem("partition table", f"it is {table.kind or 'none'}, not {board.table}")
        return
    first = min((one.offset for one in table.partitions), default=0)
    if first < board.first_mib * _MIB:
        yield problem(
            "partition table", f"a partition begins at {first} bytes, before {board.first_mib} MiB"
        )
    yield ok("partition table", f"{table.kind}, {len(table.partitions)} partitions")
    for firmware in board.firmware:
        if firmware.offset_bytes and not any(image.source.read(firmware.offset_bytes, 512)):
            yield problem(f"firmware at {firmware.offset_bytes // 1024} KiB", "nothing is there")


def _boot(board: Board, volume: Volume, files: FileSystem) -> Iterator[Finding]:
    rom, partition, view = board.rom, volume.partition, View(files)
    if rom is not None:
        if volume.kind not in rom.fat_kinds:
            yield problem("ROM", f"it reads {' and '.join(rom.fat_kinds)}, not {volume.kind}")
        if rom.active and not partition.bootable:
            yield problem("ROM", "the boot partition is not marked as active")
        is_old = board.table == "mbr" and rom.partition_type != 0
        if is_old and int(partition.type, 16) != rom.partition_type:
            wanted_type = f"{rom.partition_type:#04x}"
            yield problem(
                "ROM", f"the boot partition's type is {partition.type}, not {wanted_type}"
            )
    wanted = dict.fromkeys([*(rom.files if rom is not None else ()), *loader_files(board)])
    for name in wanted:
        yield from _boot_file(board, view, name)
    for text in board.texts:
        if _read(view, text.file) != text.text.encode():
            yield problem(text.file, "it is not what the description says")


def _boot_file(board: Board, view: View, name: str) -> Iterator[Finding]:
    data = _read(view, name)
    if not data:
        yield problem(name, "it is not on the boot partition, or empty")
        return
    try:
        yield ok(name, _describe(board, name, data))
    except BootloaderError as exc:
        yield problem(name, exc.message)


def _describe(board: Board, name: str, data: bytes) -> str:
    """Say what a file is.

    Raises:
        BootloaderError: It is not what it has to be.
    """
    if name == "boot.scr":
        image = decode_image(data)
        if image.kind is not ImageType.SCRIPT or image.architecture != board.script_architecture:
            raise BootloaderError("it is no script for this architecture")
        return f"a script of {len(image.data)} bytes"
    if name in STATE_FILES:
        variables = decode_environment(data).variables
        if variables.get(FORMAT_VARIABLE) != FORMAT:
            raise BootloaderError("it is no record of a trial")
        return "a record of a trial"
    if name == STATE_FILE:
        decode_grubenv(data)
        return "a record of a trial"
    if name.upper().endswith(".EFI") and data[:2] != b"MZ":
        raise BootloaderError("it is no program for UEFI")
    return f"{len(data)} bytes"


def _root(board: Board, files: FileSystem, view: View) -> Iterator[Finding]:
    if files.label != ROOT_LABEL:
        yield problem("root partition", f"it is called '{files.label}', not {ROOT_LABEL}")
    if _read(view, "/ostree/repo/config") is None:
        yield problem("root partition", "it has no repository")
        return
    yield ok("root partition", f"ext4 {files.label}")
    entries = sorted(_entries(view), reverse=True)
    if not entries:
        yield problem("boot entries", "there is none")
    for name in entries:
        text = (_read(view, f"/boot/loader/entries/{name}") or b"").decode(errors="replace")
        keys = dict(line.split(None, 1) for line in text.splitlines() if len(line.split()) > 1)
        for key in ("linux", "initrd"):
            if _head(view, f"/boot{keys.get(key, '')}") is None:
                yield problem(f"boot entry {name}", f"its {key} {keys.get(key)} is not there")
        kernel = identify(_head(view, f"/boot{keys.get('linux', '')}") or b"")
        if kernel.kind and board.kernel and kernel.kind != board.kernel:
            yield problem(f"boot entry {name}", f"its kernel is {kernel.kind}, not {board.kernel}")
        else:
            yield ok(f"boot entry {name}", f"{keys.get('title', '')}, {kernel.kind or 'kernel'}")


def _entries(view: View) -> Iterator[str]:
    try:
        folder = view.find("/boot/loader/entries")
    except DiskError:
        return
    for at, place in enumerate(view.entries(folder)):
        if at < _MOST_ENTRIES and place.entry.name.endswith(".conf"):
            yield place.entry.name


def _head(view: View, path: str) -> bytes | None:
    """Return a file's first bytes; None if it is not there. Kernels and ramdisks are large."""
    try:
        place = view.find(path)
        if place.entry.kind is not FileKind.FILE:
            return None
        return next(iter(place.files.chunks(place.entry)), b"")[:HEAD_BYTES]
    except DiskError:
        return None


def _read(view: View, path: str) -> bytes | None:
    """Return a file; None if it is not there."""
    try:
        return view.read(path, max_bytes=_MOST_BYTES)
    except DiskError:
        return None
