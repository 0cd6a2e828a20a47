# SPDX-License-Identifier: Apache-2.0
"""What is known of a block device: what it is, how large, and who uses it.

::

    /sys/dev/block/8:0          -> the disk; 8:1 the partition below it
        size, ro, removable     in sectors of 512 bytes; 0 or 1
        device/model, type      "SD" or "MMC" where it is a card
        sda1/partition          a partition of it
        holders/                what is built on it: LVM, LUKS, RAID
    /proc/self/mountinfo        what is mounted, by number and by name
    /proc/swaps                 what is swapped to
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya.image.errors import FlashError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECTOR = 512
_CARD = "SD"


class Places(NamedTuple):
    """Where the kernel tells of devices.

    Attributes:
        sysfs: Its tree of devices.
        mounts: What is mounted.
        swaps: What is swapped to.
    """

    sysfs: str = "/sys"
    mounts: str = "/proc/self/mountinfo"
    swaps: str = "/proc/swaps"


class Device(NamedTuple):
    """A block device.

    Attributes:
        path: As it was named.
        name: As the kernel calls it.
        size_bytes: How large it is.
        model: What it says that it is; empty for nothing.
        is_partition: Whether it is a part of a disk.
        is_removable: Whether it can be taken out: a card, a stick, a disk on USB.
        is_read_only: Whether nothing can be written to it.
        mounts: Where it is mounted, with its partitions and what is built on them.
        uses: What else it is used for, a word each.
    """

    path: str
    name: str
    size_bytes: int
    model: str
    is_partition: bool
    is_removable: bool
    is_read_only: bool
    mounts: tuple[str, ...]
    uses: tuple[str, ...]

    @property
    def is_system(self) -> bool:
        """Whether the running system is on it."""
        return "/" in self.mounts


def look_at_device(path: str, number: int, places: Places | None = None) -> Device:
    """Find out about a block device.

    Args:
        path: As it was named.
        number: Its number, ``st_rdev``.
        places: Where the kernel tells of devices.

    Raises:
        FlashError: The kernel does not know it.
        OSError: Something cannot be read.
    """
    places = places or Places()
    place = f"{places.sysfs}/dev/block/{os.major(number)}:{os.minor(number)}"
    if not os.path.isdir(place):
        raise FlashError(f"the kernel does not know the device {path}")
    folder = os.path.realpath(place)
    is_partition = os.path.exists(f"{folder}/partition")
    disk = os.path.dirname(folder) if is_partition else folder
    folders = list(_built_on(folder, places.sysfs))
    numbers = {text for text in (_read(f"{one}/dev") for one in folders) if text}
    names = {f"/dev/{os.path.basename(one)}" for one in folders}
    uses = [os.path.basename(one) for one in folders[1:] if _is_holder(one)]
    uses += ["swap"] if _is_swapped_to(places.swaps, numbers, names) else []
    return Device(
        path,
        os.path.basename(folder),
        int(_read(f"{folder}/size") or 0) * _SECTOR,
        _read(f"{disk}/device/model") or _read(f"{disk}/device/name"),
        is_partition,
        _is_removable(disk),
        _read(f"{folder}/ro") == "1",
        tuple(sorted(set(_mounts(places.mounts, numbers, names)))),
        tuple(uses),
    )


def _read(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            return stream.read(4096).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _is_removable(disk: str) -> bool:
    if _read(f"{disk}/removable") == "1" or _read(f"{disk}/device/type") == _CARD:
        return True
    # The kernel calls only media removable, not disks that hang on a cable.
    return any(part.startswith("usb") and part[3:].isdigit() for part in disk.split("/"))


def _built_on(folder: str, sysfs: str) -> Iterator[str]:
    """Yield a device, its partitions, and what is built on any of them, as far as that goes."""
    seen: set[str] = set()
    stack = [folder]
    while stack:
        here = stack.pop()
        if here in seen:
            continue
        seen.add(here)
        yield here
        below = [f"{here}/{name}" for name in _names(here)]
        stack += [one for one in below if os.path.exists(f"{one}/partition")]
        holders = _names(f"{here}/holders")
        stack += [os.path.realpath(f"{sysfs}/class/block/{name}") for name in holders]


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder), reverse=True)
    except OSError:
        return []


def _is_holder(folder: str) -> bool:
    return not os.path.exists(f"{folder}/partition")


def _mounts(path: str, numbers: set[str], names: set[str]) -> Iterator[str]:
    with open(path, encoding="utf-8", errors="surrogateescape") as stream:
        for line in stream:
            words = line.split()
            if len(words) < 10 or "-" not in words:
                continue
            # Of btrfs the number is nobody's, but the name is there.
            source = words[words.index("-") + 2]
            if words[2] in numbers or source in names or _number_of(source) in numbers:
                yield words[4].replace("\\040", " ")


def _is_swapped_to(path: str, numbers: set[str], names: set[str]) -> bool:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            words = [line.split()[0] for line in stream if line.strip()]
    except OSError:
        return False
    return any(word in names or _number_of(word) in numbers for word in words)


def _number_of(path: str) -> str:
    """Return the number of a device by its path; empty if it is none."""
    if not path.startswith("/"):
        return ""
    try:
        found = os.stat(path)
    except OSError:
        return ""
    if not stat.S_ISBLK(found.st_mode):
        return ""
    return f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
