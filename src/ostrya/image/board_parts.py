# SPDX-License-Identifier: Apache-2.0
"""What the description of a board is made of; `board` reads it."""

from __future__ import annotations

from ostrya.named_tuple import NamedTuple

TABLES = ("gpt", "mbr")
FAT_KINDS = ("fat16", "fat32")


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


class Firmware(NamedTuple):
    """A file that others made, and that has to be on the disk.

    Attributes:
        sources: Its paths below the places where it is looked for, the first one that is there
            counts; ``*`` and ``?`` stand for several files.
        file: Where it is on the FAT partition; a folder, with a slash at its end, for several.
        offset_bytes: Where it is on the disk, instead; 0 for a file.
        package: The package of Debian that has it; empty for none.
        optional: Whether a disk can do without.
    """

    sources: tuple[str, ...]
    file: str = ""
    offset_bytes: int = 0
    package: str = ""
    optional: bool = False


class TextFile(NamedTuple):
    """A file on the FAT partition that is a board's own.

    Attributes:
        file: Where it is.
        text: What is in it.
    """

    file: str
    text: str


class Rom(NamedTuple):
    """What firmware in a board's ROM wants of a disk.

    Attributes:
        files: What it, and what it starts, look for on the FAT partition.
        tables: Partition tables that it can read.
        fat_kinds: File systems that it can read.
        active: Whether the partition has to be marked as the one to start from.
        partition_type: What the table has to say of it, where that is an old one; 0 for anything.
    """

    files: tuple[str, ...]
    tables: tuple[str, ...] = TABLES
    fat_kinds: tuple[str, ...] = FAT_KINDS
    active: bool = False
    partition_type: int = 0
