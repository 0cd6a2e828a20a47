# SPDX-License-Identifier: Apache-2.0
"""A board: what a disk needs to start on it. Data, in ``boards/NAME.toml``.

::

    name = "qemu-arm64"
    title = "QEMU's virt, U-Boot as its firmware"
    architecture = "aarch64"
    loader = "uboot"                  uboot, grub2, systemd-boot
    kernel_arguments = ["console=ttyAMA0"]
    kernel = "Image"                  what the loader can start: Image, zImage, bzImage, uImage, …
    table = "gpt"                     gpt, mbr
    first_mib = 1                     where the first partition begins
    fstab = []                        lines for file systems beside the root
    ramdisk_modules = []              kernel modules that its ramdisk loads in any case
    devicetrees = []                  that the release has to have, by their paths in its folder

    [uboot]                           what a boot script has to know
    [grub]                            targets, modules

    [[partition]]                     bios, boot (FAT), root, in the order of their numbers
    role = "boot"
    size_mib = 16

    [[firmware]]                      a file that others made, on the FAT or at a place of the disk
    sources = ["usr/lib/u-boot/x/u-boot.bin"]   in a folder, the release, or this machine
    file = "u-boot.bin"               a folder with a slash at its end, where sources have a *
    offset_kib = 0                    instead of file
    package = "u-boot-x"              what has it in Debian
    optional = false

    [[text]]                          a file on the FAT that is written here
    file = "config.txt"
    lines = []

    [rom]                             what firmware in the board's ROM wants, for `board check`
    files = []                        on the FAT
    tables = ["mbr"]
    fat = ["fat16", "fat32"]
    active = true
    partition_type = 0x0c

    [qemu]                            how a disk of it is started without the board
    program = "qemu-system-aarch64"
    arguments = ["-machine", "virt", …, "file={disk}"]

    [qemu_bios]                       the same with firmware of the old kind
"""

from __future__ import annotations

import os
from glob import has_magic
from importlib.resources import files

from ostrya.boot.backends.uboot_trial import ScriptBoard
from ostrya.boot.uboot_image import Architecture
from ostrya.image.board_parts import (
    FAT_KINDS,
    TABLES,
    BoardPartition,
    Firmware,
    GrubTarget,
    Qemu,
    Rom,
    TextFile,
)
from ostrya.image.errors import BoardError
from ostrya.image.kernel_image import KINDS
from ostrya.image.toml_table import TomlDocument, TomlTable
from ostrya.named_tuple import NamedTuple

_FOLDER = "boards"
_SUFFIX = ".toml"
MAX_TEXT_BYTES = 1 << 20
LOADERS = ("uboot", "grub2", "systemd-boot")
ROLES = ("bios", "boot", "root")


class Board(NamedTuple):
    """A board.

    Attributes:
        name: What it is called.
        title: What it is, in a few words.
        architecture: As ``uname -m`` has it.
        loader: Which boot loader starts it.
        kernel_arguments: Beside those that find the root file system.
        partitions: In the order of their numbers.
        fstab: Lines for file systems beside the root.
        ramdisk_modules: Kernel modules that its ramdisk loads in any case.
        script: What a boot script has to know; None without U-Boot.
        script_architecture: What its header says.
        grub: Builds of GRUB.
        grub_console: Commands that bring GRUB's output to where somebody sees it.
        efi_file: Where firmware looks for systemd-boot.
        efi_source: The file of this machine that is put there.
        qemu: How QEMU starts it; None where it cannot.
        qemu_bios: The same with firmware of the old kind, where the same disk starts on both.
        kernel: What its loader can start, see `kernel_image`; empty for anything.
        table: ``gpt`` or ``mbr``.
        first_mib: Where the first partition begins.
        devicetrees: That a release has to have.
        firmware: Files that others made.
        texts: Files of its own.
        rom: What the firmware in its ROM wants; None where nothing is known.
    """

    name: str
    title: str
    architecture: str
    loader: str
    kernel_arguments: tuple[str, ...]
    partitions: tuple[BoardPartition, ...]
    fstab: tuple[str, ...] = ()
    ramdisk_modules: tuple[str, ...] = ()
    script: ScriptBoard | None = None
    script_architecture: Architecture = Architecture.ARM64
    grub: tuple[GrubTarget, ...] = ()
    grub_console: str = ""
    efi_file: str = ""
    efi_source: str = ""
    qemu: Qemu | None = None
    qemu_bios: Qemu | None = None
    kernel: str = ""
    table: str = "gpt"
    first_mib: int = 1
    devicetrees: tuple[str, ...] = ()
    firmware: tuple[Firmware, ...] = ()
    texts: tuple[TextFile, ...] = ()
    rom: Rom | None = None

    @property
    def root_number(self) -> int:
        """The number of the root partition, from 1."""
        return len(self.partitions)

    @property
    def boot_on_fat(self) -> bool:
        """Whether kernels and boot entries are on the FAT partition."""
        return self.loader == "systemd-boot"


def board_names() -> list[str]:
    """List the boards that there are."""
    folder = files("ostrya.image").joinpath(_FOLDER)
    return sorted(
        found.name.removesuffix(_SUFFIX)
        for found in folder.iterdir()
        if found.name.endswith(_SUFFIX)
    )


def load_board(name: str) -> Board:
    """Return a board.

    Args:
        name: One of `board_names`, or the path of a description, with a slash or ``.toml`` in it.

    Raises:
        BoardError: There is none of that name, or its description cannot be used.
    """
    if "/" in name or name.endswith(_SUFFIX):
        return parse_board(_read_description(name), name)
    if name not in board_names():
        raise BoardError(
            f"there is no board '{name}'", hint=f"known are {', '.join(board_names())}"
        )
    return parse_board(board_text(name), f"board {name}")


def board_text(name: str) -> str:
    """Return the description of a board that there is."""
    folder = files("ostrya.image").joinpath(_FOLDER)
    return folder.joinpath(name + _SUFFIX).read_text(encoding="utf-8")


def _read_description(path: str) -> str:
    try:
        if os.path.getsize(path) > MAX_TEXT_BYTES:
            raise BoardError(f"{path} is too large for the description of a board")
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        raise BoardError(f"there is no description of a board {path}") from None
    except (OSError, UnicodeDecodeError) as exc:
        raise BoardError(f"{path} cannot be read: {exc}") from None


def parse_board(text: str, where: str) -> Board:
    """Read the description of a board.

    Args:
        text: TOML.
        where: What it is called in messages.

    Raises:
        BoardError: It cannot be used: all that is wrong with it, each with its line.
    """
    document = TomlDocument(text, where)
    board = _BoardReader(document.top).read()
    document.raise_any()
    return board


_ARCHITECTURES = {
    "arm": Architecture.ARM,
    "arm64": Architecture.ARM64,
    "x86": Architecture.X86,
    "riscv": Architecture.RISCV,
}


def _text_file(table: TomlTable) -> TextFile:
    found = TextFile(table.text("file"), "".join(f"{line}\n" for line in table.texts("lines")))
    table.end()
    return found


class _BoardReader:
    def __init__(self, table: TomlTable) -> None:
        self._table = table

    def read(self) -> Board:
        table = self._table
        loader = table.one_of("loader", LOADERS)
        board = Board(
            table.text("name"),
            table.text("title"),
            table.text("architecture"),
            loader,
            table.texts("kernel_arguments"),
            self._partitions(),
            table.texts("fstab"),
            table.texts("ramdisk_modules"),
            qemu=self._qemu("qemu"),
            qemu_bios=self._qemu("qemu_bios"),
            kernel=table.text("kernel", ""),
            table=table.one_of("table", TABLES, "gpt"),
            first_mib=table.number("first_mib", 1),
            devicetrees=table.texts("devicetrees"),
            firmware=tuple(map(self._firmware, table.tables("firmware"))),
            texts=tuple(map(_text_file, table.tables("text"))),
            rom=self._rom(),
        )
        self._check(board)
        read = {"uboot": self._with_script, "grub2": self._with_grub}.get(loader, self._with_efi)
        if loader:
            board = read(board)
        else:
            table.skip("uboot", "grub", "efi")
        table.end()
        return board

    def _partitions(self) -> tuple[BoardPartition, ...]:
        found = []
        for table in self._table.tables("partition"):
            role = table.one_of("role", ROLES)
            found.append(BoardPartition(role, table.number("size_mib", 0), table.truth("esp")))
            table.end()
        roles = [one.role for one in found]
        if roles.count("root") != 1 or roles[-1] != "root" or roles.count("boot") != 1:
            self._table.problem(
                "partition", "it needs one partition boot, and root as its last one"
            )
        return tuple(found)

    def _firmware(self, table: TomlTable) -> Firmware:
        found = Firmware(
            table.texts("sources"),
            table.text("file", ""),
            table.number("offset_kib", 0) * 1024,
            table.text("package", ""),
            table.truth("optional"),
        )
        table.end()
        if not found.sources:
            table.problem("", "firmware.sources is missing")
            return found
        if bool(found.file) == bool(found.offset_bytes):
            table.problem("", f"firmware {found.sources[0]} needs either file or offset_kib")
        if any(has_magic(one) for one in found.sources) and not found.file.endswith("/"):
            table.problem(
                "sources",
                f"firmware {found.sources[0]} may be several files, and goes to a folder with a "
                "slash at its end",
            )
        return found

    def _rom(self) -> Rom | None:
        table = self._table.table("rom")
        if table is None:
            return None
        rom = Rom(
            table.texts("files"),
            table.texts("tables") or TABLES,
            table.texts("fat") or FAT_KINDS,
            table.truth("active"),
            table.number("partition_type", 0),
        )
        table.end()
        return rom

    def _check(self, board: Board) -> None:
        if board.kernel and board.kernel not in KINDS:
            self._table.problem(
                "kernel", f"kernel is '{board.kernel}', not one of {', '.join(KINDS)}"
            )
        if board.first_mib < 1:
            self._table.problem("first_mib", "first_mib is less than 1")
        if board.table == "mbr" and any(one.role == "bios" for one in board.partitions):
            self._table.problem("partition", "a partition bios is one of a GPT")

    def _section(self, name: str) -> TomlTable | None:
        table = self._table.table(name)
        if table is None:
            self._table.problem("loader", f"[{name}] is missing")
        return table

    def _with_script(self, board: Board) -> Board:
        table = self._section("uboot")
        if table is None:
            return board
        architecture = table.one_of("architecture", tuple(_ARCHITECTURES))
        default = ScriptBoard(table.text("boot_command"), board.root_number)
        script = default._replace(
            kernel_addr=table.text("kernel_addr", default.kernel_addr),
            ramdisk_addr=table.text("ramdisk_addr", default.ramdisk_addr),
            fdt_addr=table.text("fdt_addr", default.fdt_addr),
            overlay_addr=table.text("overlay_addr", default.overlay_addr),
            state_addr=table.text("state_addr", default.state_addr),
            extra_args=table.text("extra_args", ""),
            fdtfile=table.text("fdtfile", ""),
        )
        table.end()
        known = _ARCHITECTURES.get(architecture, Architecture.ARM)
        return board._replace(script=script, script_architecture=known)

    def _with_grub(self, board: Board) -> Board:
        table = self._section("grub")
        if table is None:
            return board
        common = table.texts("modules")
        targets = []
        for target in table.tables("target"):
            modules = (*common, *target.texts("modules"))
            targets.append(GrubTarget(target.text("format"), target.text("file", ""), modules))
            target.end()
        console = "".join(f"{line}\n" for line in table.texts("console"))
        table.end()
        return board._replace(grub=tuple(targets), grub_console=console)

    def _with_efi(self, board: Board) -> Board:
        table = self._section("efi")
        if table is None:
            return board
        board = board._replace(efi_file=table.text("file"), efi_source=table.text("source"))
        table.end()
        return board

    def _qemu(self, name: str) -> Qemu | None:
        table = self._table.table(name)
        if table is None:
            return None
        qemu = Qemu(
            table.text("program"),
            table.texts("arguments"),
            table.texts("firmware"),
            table.text("firmware_vars", ""),
        )
        table.end()
        return qemu
