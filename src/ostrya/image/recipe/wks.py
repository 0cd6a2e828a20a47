# SPDX-License-Identifier: Apache-2.0
"""Partition files of Yocto's, ``.wks``: their partitions beside boot and root. Pure.

::

    part /boot --source bootimg-partition --fstype=vfat --label boot --size 64     the board's
    part / --source otaimage --ondisk sda --align 4096                             the root
    part /data --fstype=ext4 --label data --size 512M                              is taken
    part swap --size 256                                                           is taken
    bootloader --ptable gpt --append="quiet"        the arguments are; the table is the board's
    include common.wks.inc                          a file beside this one

Sizes are in megabytes without a letter. Source: the reference of OpenEmbedded's Kickstart.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from ostrya.image.errors import RecipeError
from ostrya.image.recipe import formats
from ostrya.image.recipe.values import PartitionWant
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SIZE = re.compile(r"(\d{1,9})([sSKMG]?)")
_UNITS = {"s": 512, "S": 512, "K": 1 << 10, "M": 1 << 20, "": 1 << 20, "G": 1 << 30}
_FILESYSTEMS = {"ext2": "ext4", "ext3": "ext4", "ext4": "ext4", "vfat": "vfat", "msdos": "vfat",
                "none": "none", "swap": "swap", "linux-swap": "swap"}  # fmt: skip
_MOST_FILES = 20
# Of the board: what firmware and loader read.
_BOOT_SOURCES = ("bootimg", "rawcopy", "isoimage")
_ROOT_SOURCES = ("rootfs", "otaimage")
_FLAGS = frozenset(
    {
        "--active",
        "--no-table",
        "--no-fstab-update",
        "--use-uuid",
        "--use-label",
        "--hidden",
        "--mbr",
    }
)


class Wks(NamedTuple):
    """What a partition file says.

    Attributes:
        partitions: Those beside boot and root.
        kernel_arguments: For the kernel, beside the board's.
    """

    partitions: tuple[PartitionWant, ...]
    kernel_arguments: tuple[str, ...] = ()


def parse_wks(file: str, read: Callable[[str], str], join: Callable[[str, str], str]) -> Wks:
    """Read a partition file with all that it includes.

    Args:
        file: Its path.
        read: Returns the text of a file; raises OSError or UnicodeDecodeError.
        join: Given a file and what it names, returns the path of that.

    Raises:
        RecipeError: It is none, or has partitions that cannot be had.
    """
    reader = _Reader(read, join)
    reader.read_file(file, file)
    if reader.problems:
        raise RecipeError(tuple(reader.problems))
    return Wks(tuple(reader.partitions), tuple(reader.kernel_arguments))


class _Reader:
    def __init__(self, read: Callable[[str], str], join: Callable[[str, str], str]) -> None:
        self.problems: list[str] = []
        self.partitions: list[PartitionWant] = []
        self.kernel_arguments: list[str] = []
        self._read = read
        self._join = join
        self._after_root = False
        self._count = 0

    def read_file(self, file: str, where: str) -> None:
        """Read a file, and what it includes."""
        self._count += 1
        if self._count > _MOST_FILES:
            raise RecipeError((f"{where}: more than {_MOST_FILES} files are included",))
        try:
            text = self._read(file)
        except OSError as exc:
            self.problems.append(f"{where}: {file} cannot be read: {exc.strerror}")
            return
        except UnicodeDecodeError:
            self.problems.append(f"{where}: {file} is no text in UTF-8")
            return
        for number, line in enumerate(_joined_lines(text), 1):
            try:
                self._take(shlex.split(line, comments=True), file, f"{file}:{number}")
            except ValueError as exc:
                said = str(exc)
                self.problems.append(f"{file}:{number}: {said[:1].lower()}{said[1:]}")

    def _take(self, words: list[str], file: str, where: str) -> None:
        if not words:
            return
        word, rest = words[0], words[1:]
        if word == "include":
            if len(rest) != 1:
                raise ValueError("include names one file")
            self.read_file(self._join(file, rest[0]), where)
        elif word == "bootloader":
            self.kernel_arguments += _options(rest)[1].get("--append", "").split()
        elif word not in {"part", "partition"}:
            raise ValueError(f"nobody knows '{word}'")
        elif _is_root(rest):
            self._after_root = True
        else:
            one = _part(rest, len(self.partitions))
            if one is not None:
                self.partitions.append(one._replace(after_root=self._after_root))


def _joined_lines(text: str) -> Iterator[str]:
    """Yield lines; one that is continued is followed by empty ones, so that numbers stay."""
    pending, count = "", 0
    for line in text.splitlines():
        count += 1
        if line.endswith("\\"):
            pending += line[:-1] + " "
            continue
        yield from [""] * (count - 1)
        yield pending + line
        pending, count = "", 0
    yield pending


def _options(words: list[str]) -> tuple[str, dict[str, str]]:
    place, options = "", {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            place = word
        elif word in _FLAGS:
            options[word] = ""
        else:
            name, equals, value = word.partition("=")
            options[name] = value if equals else next(rest, "")
    return place, options


def _is_root(words: list[str]) -> bool:
    place, options = _options(words)
    return place == "/" or options.get("--source", "").startswith(_ROOT_SOURCES)


def _part(words: list[str], number: int) -> PartitionWant | None:
    place, options = _options(words)
    source = options.get("--source", "")
    if place == "/boot" or source.startswith(_BOOT_SOURCES):
        return None
    wanted = options.get("--fstype", "swap" if place == "swap" else "ext4")
    filesystem = _FILESYSTEMS.get(wanted)
    if filesystem is None:
        raise ValueError(f"there is no file system '{wanted}'; known are ext4, vfat, swap")
    size = options.get("--fixed-size") or options.get("--size") or ""
    told = _SIZE.fullmatch(size)
    if told is None:
        raise ValueError("the partition has no size; --size gives it one")
    label = (
        options.get("--label") or options.get("--part-name") or place.strip("/").replace("/", "-")
    )
    label = label or f"data{number or ''}"
    if complaint := formats.label(label):
        raise ValueError(f"'{label}' is {complaint}")
    mounted = place if place.startswith("/") else ""
    kind = options.get("--part-type", "")
    fsoptions = tuple(word for word in options.get("--fsoptions", "").split(",") if word)
    return PartitionWant(
        options.get("--part-name") or label,
        int(told[1]) * _UNITS[told[2]],
        filesystem,
        label,
        mounted,
        fsoptions,
        type="" if formats.guid(kind) else kind,
    )
