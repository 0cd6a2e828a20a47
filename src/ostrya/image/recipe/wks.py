# SPDX-License-Identifier: Apache-2.0
"""Partition files of Yocto's, ``.wks``: their partitions beside boot and root. Pure.

::

    part /boot --source bootimg-partition --fstype=vfat --label boot --size 64     the board's
    part / --source otaimage --ondisk sda --align 4096                             the root
    part /data --fstype=ext4 --label data --size 512M                              is taken
    bootloader --ptable gpt

Sizes are in megabytes without a letter. Source: the reference of OpenEmbedded's Kickstart.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from ostrya.image.errors import RecipeError
from ostrya.image.recipe import formats
from ostrya.image.recipe.values import PartitionWant

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIZE = re.compile(r"(\d{1,9})([sSKMG]?)")
_UNITS = {"s": 512, "S": 512, "K": 1 << 10, "M": 1 << 20, "": 1 << 20, "G": 1 << 30}
_FILESYSTEMS = {"ext2": "ext4", "ext3": "ext4", "ext4": "ext4", "vfat": "vfat", "msdos": "vfat",
                "none": "none"}  # fmt: skip
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


def parse_wks(text: str, file: str) -> tuple[PartitionWant, ...]:
    """Read a partition file.

    Args:
        text: Its lines.
        file: What it is called in messages.

    Raises:
        RecipeError: It is none, or has partitions that cannot be had.
    """
    problems: list[str] = []
    found: list[PartitionWant] = []
    after_root = False
    for number, line in enumerate(_joined_lines(text), 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as exc:
            problems.append(f"{file}:{number}: {str(exc).lower()}")
            continue
        if not words or words[0] in {"bootloader", "include"}:
            continue
        if words[0] not in {"part", "partition"}:
            problems.append(f"{file}:{number}: nobody knows '{words[0]}'")
            continue
        try:
            one = _part(words[1:], len(found))
        except ValueError as exc:
            problems.append(f"{file}:{number}: {exc}")
            continue
        if one is not None:
            found.append(one._replace(after_root=after_root))
        elif _is_root(words[1:]):
            after_root = True
    if problems:
        raise RecipeError(tuple(problems))
    return tuple(found)


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
    if _is_root(words) or place == "/boot" or source.startswith(_BOOT_SOURCES):
        return None
    if place == "swap" or options.get("--fstype") == "swap":
        raise ValueError("a partition for swapping is not made; make a file for it on the device")
    filesystem = _FILESYSTEMS.get(options.get("--fstype", "ext4"))
    if filesystem is None:
        raise ValueError(f"there is no file system '{options['--fstype']}'; known are ext4, vfat")
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
