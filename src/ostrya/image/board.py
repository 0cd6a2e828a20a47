# SPDX-License-Identifier: Apache-2.0
"""A board: what a disk needs to start on it. Data, in ``boards/NAME.toml``.

::

    name = "qemu-arm64"
    title = "QEMU's virt, U-Boot as its firmware"
    architecture = "aarch64"
    loader = "uboot"                  uboot, grub2, systemd-boot
    kernel_arguments = ["console=ttyAMA0"]
    fstab = []                        lines for file systems beside the root
    ramdisk_modules = []              kernel modules that its ramdisk loads in any case

    [uboot]                           what a boot script has to know
    [grub]                            targets, modules

    [[partition]]                     bios, boot (FAT), root, in the order of their numbers
    role = "boot"
    size_mib = 16

    [qemu]                            how a disk of it is started without the board
    program = "qemu-system-aarch64"
    arguments = ["-machine", "virt", …, "file={disk}"]

    [qemu_bios]                       the same with firmware of the old kind
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

from ostrya.boot.backends.uboot_trial import ScriptBoard
from ostrya.boot.uboot_image import Architecture
from ostrya.image.errors import BoardError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = "boards"
LOADERS = ("uboot", "grub2", "systemd-boot")
ROLES = ("bios", "boot", "root")


class BoardPartition(NamedTuple):
    """A partition of a board's disk.

    Attributes:
        role: ``bios`` for GRUB's core, ``boot`` for the FAT that firmware or loader reads,
            ``root`` for the root file system, which comes last.
        size_mib: How large it is; 0 for the root.
        is_esp: Whether it is an EFI system partition.
    """

    role: str
    size_mib: int = 0
    is_esp: bool = False


class GrubTarget(NamedTuple):
    """A build of GRUB that a disk has.

    Attributes:
        format: As ``grub-mkimage`` calls it.
        file: Where it is on the FAT partition; empty for the one that the MBR leads to.
        modules: What is built in.
    """

    format: str
    file: str
    modules: tuple[str, ...]


class Qemu(NamedTuple):
    """How QEMU starts a disk of a board.

    Attributes:
        program: The emulator.
        arguments: Its arguments; ``{disk}`` stands for the disk, ``{vars}`` for a copy of
            ``firmware_vars``, where there is one.
        firmware: Files of this machine that they name.
        firmware_vars: What ``{vars}`` is a copy of; empty for none.
    """

    program: str
    arguments: tuple[str, ...]
    firmware: tuple[str, ...] = ()
    firmware_vars: str = ""

    def argv(self, disk: str, variables: str = "") -> list[str]:
        """Return a command line.

        Args:
            disk: Path of the disk.
            variables: Path of the copy of ``firmware_vars``, which firmware writes to.
        """
        filled = (
            word.replace("{disk}", disk).replace("{vars}", variables) for word in self.arguments
        )
        return [self.program, *filled]


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
        found.name.removesuffix(".toml")
        for found in folder.iterdir()
        if found.name.endswith(".toml")
    )


def load_board(name: str) -> Board:
    """Return a board.

    Raises:
        BoardError: There is none of that name, or its description cannot be used.
    """
    if name not in board_names():
        raise BoardError(
            f"there is no board '{name}'", hint=f"known are {', '.join(board_names())}"
        )
    text = files("ostrya.image").joinpath(_FOLDER, f"{name}.toml").read_text(encoding="utf-8")
    return parse_board(text, f"board {name}")


def parse_board(text: str, where: str) -> Board:
    """Read the description of a board.

    Args:
        text: TOML.
        where: What it is called in messages.

    Raises:
        BoardError: It cannot be used.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise BoardError(f"{where}: {exc}") from None
    return _BoardReader(where, _Table(where, "", found)).read()


class _Table:
    """A table of TOML that is read key by key; what is left over is an error."""

    def __init__(self, where: str, path: str, values: Mapping[str, object]) -> None:
        self._where = where
        self._path = path
        self._values = dict(values)

    def _take(self, key: str, kind: type, default: object) -> object:
        value = self._values.pop(key, default)
        if value is None:
            raise BoardError(f"{self._where}: {self._path}{key} is missing")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise BoardError(f"{self._where}: {self._path}{key} is no {_KINDS[kind]}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        value = self._take(key, str, default)
        return str(value)

    def number(self, key: str, default: int | None = None) -> int:
        value = self._take(key, int, default)
        return value if isinstance(value, int) else 0

    def truth(self, key: str) -> bool:
        return bool(self._take(key, bool, default=False))

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._take(key, list, [])
        found = values if isinstance(values, list) else []
        if not all(isinstance(value, str) for value in found):
            raise BoardError(f"{self._where}: {self._path}{key} is no list of texts")
        return tuple(found)

    def table(self, key: str) -> _Table | None:
        if key not in self._values:
            return None
        value = self._take(key, dict, {})
        return _Table(self._where, f"{key}.", value if isinstance(value, dict) else {})

    def tables(self, key: str) -> list[_Table]:
        values = self._take(key, list, [])
        found = values if isinstance(values, list) else []
        if not all(isinstance(value, dict) for value in found):
            raise BoardError(f"{self._where}: {self._path}{key} is no list of tables")
        return [_Table(self._where, f"{key}.", value) for value in found]

    def one_of(self, key: str, known: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in known:
            raise BoardError(
                f"{self._where}: {self._path}{key} is '{value}', not one of {', '.join(known)}"
            )
        return value

    def end(self) -> None:
        for key in self._values:
            raise BoardError(f"{self._where}: nobody knows {self._path}{key}")


_KINDS = {str: "text", int: "number", bool: "truth value", list: "list", dict: "table"}
_ARCHITECTURES = {
    "arm": Architecture.ARM,
    "arm64": Architecture.ARM64,
    "x86": Architecture.X86,
    "riscv": Architecture.RISCV,
}


class _BoardReader:
    def __init__(self, where: str, table: _Table) -> None:
        self._where = where
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
        )
        read = {"uboot": self._with_script, "grub2": self._with_grub}.get(loader, self._with_efi)
        board = read(board)
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
            raise BoardError(
                f"{self._where}: it needs one partition boot, and root as its last one"
            )
        return tuple(found)

    def _section(self, name: str) -> _Table:
        table = self._table.table(name)
        if table is None:
            raise BoardError(f"{self._where}: [{name}] is missing")
        return table

    def _with_script(self, board: Board) -> Board:
        table = self._section("uboot")
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
        return board._replace(script=script, script_architecture=_ARCHITECTURES[architecture])

    def _with_grub(self, board: Board) -> Board:
        table = self._section("grub")
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
