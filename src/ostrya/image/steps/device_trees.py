# SPDX-License-Identifier: Apache-2.0
"""Device trees of a kernel, and files that boards need of a root file system.

::

    /boot/*.dtb, /boot/dtb, /boot/dtbs/KVER, /boot/devicetree    moved to modules/KVER/dtb
    /usr/lib/linux-image-KVER                                    Debian's: those that are asked for
    modules/KVER/dtb                                             stay
    modules/KVER/devicetree                                      a copy of one, if that is asked for
    /boot/…                                                      what a board asks for, moved to
                                                                 /usr/lib/ostrya/boot
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ostrya.boot.kernel import MODULES
from ostrya.image.decisions import listed
from ostrya.image.errors import SourceError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ostrya.image.decisions import Report
    from ostrya.image.tree import TreeEditor

_SUFFIXES = (".dtb", ".dtbo")
BOOT_FILES = "usr/lib/ostrya/boot"
# Where distributions put what firmware wants to find on a FAT.
_FIRMWARE = (BOOT_FILES, "boot", "usr/lib/raspi-firmware", "usr/lib/u-boot", "usr/lib/firmware")


class FoundFile(NamedTuple):
    """A file of a tree.

    Attributes:
        path: Where it is, relative to the root.
        name: Below the folder that it was looked for in.
    """

    path: str
    name: str


class DeviceTreeWishes(NamedTuple):
    """Which device trees a release is to have.

    Attributes:
        patterns: Names, as ``bcm2711-*.dtb`` or ``broadcom/*``, of those that Debian has in
            ``/usr/lib``; ``*`` for all. Those in ``/boot`` come along anyway.
        single: The one that every boot uses; empty for none.
    """

    patterns: tuple[str, ...] = ()
    single: str = ""


def place_device_trees(
    editor: TreeEditor, report: Report, kver: str, wishes: DeviceTreeWishes
) -> None:
    """Put device trees where the kernel is; what is asked for and not there is in the way."""
    place = f"{MODULES}/{kver}/dtb"
    moved = 0
    for found in _in_boot(editor, kver):
        moved += _put(editor, found, place)
    debian = f"usr/lib/linux-image-{kver}"
    there = list(_below(editor, debian))
    for pattern in wishes.patterns:
        chosen = [found for found in there if _fits(found.name, pattern)]
        for found in chosen:
            moved += _put(editor, found, place)
        if not chosen and not any(_fits(one.name, pattern) for one in _below(editor, place)):
            report.conflict(
                "devicetree.missing",
                debian,
                f"there is no device tree {pattern}",
                f"there is: {listed([one.name for one in there]) or 'none'}",
            )
    if moved:
        report.tell("devicetree.moved", place, f"moved {moved} device trees to /{place}")
    left = len(list(_below(editor, debian)))
    if left:
        report.tell("devicetree.left", debian, f"left {left} device trees in /{debian}")
    if wishes.single:
        _copy_single(editor, report, kver, wishes.single)


def find_device_trees(editor: TreeEditor, kver: str) -> list[FoundFile]:
    """Return the device trees of a kernel, wherever they are, by name; overlays too."""
    found: dict[str, FoundFile] = {}
    for one in (
        *_below(editor, f"{MODULES}/{kver}/dtb"),
        *_in_boot(editor, kver),
        *_below(editor, f"usr/lib/linux-image-{kver}"),
    ):
        found.setdefault(one.name, one)
    return [found[name] for name in sorted(found)]


def find_board_files(editor: TreeEditor, patterns: Iterable[str]) -> list[FoundFile]:
    """Return the files that a board wants of a tree.

    Args:
        editor: The tree, converted or not.
        patterns: Paths as ``usr/lib/u-boot/rpi_4/u-boot.bin``, or names below the places where
            distributions keep firmware, as ``start4*.elf``; the latter are found by their names
            below those places.

    Raises:
        SourceError: There is none for a pattern.
    """
    found: dict[str, FoundFile] = {}
    for pattern in patterns:
        wanted = pattern.strip("/")
        chosen = list(_by_path(editor, wanted)) if "/" in wanted else []
        for folder in _FIRMWARE if not chosen else ():
            chosen = [
                FoundFile(f"{folder}/{name}", name)
                for name in _files(editor, folder)
                if _fits(name, wanted)
            ]
            if chosen:
                break
        if not chosen:
            raise SourceError(
                f"the root file system has no {pattern}, which the board needs",
                hint=f"it is looked for in {', '.join('/' + folder for folder in _FIRMWARE)}",
            )
        for one in chosen:
            found.setdefault(one.path, one)
    return [found[path] for path in sorted(found)]


def keep_boot_files(editor: TreeEditor, report: Report, patterns: Iterable[str]) -> None:
    """Keep what boards want of ``/boot``, before that is emptied; not there is in the way."""
    for pattern in patterns:
        chosen = [name for name in _files(editor, "boot") if _fits(name, pattern)]
        for name in chosen:
            editor.move(f"boot/{name}", f"{BOOT_FILES}/{name}")
        if chosen:
            report.tell(
                "boot.kept", BOOT_FILES, f"moved to /{BOOT_FILES} of /boot: {listed(chosen)}"
            )
        elif not any(_fits(name, pattern) for name in _files(editor, BOOT_FILES)):
            report.conflict("boot.missing", "boot", f"there is no /boot/{pattern}")


def _copy_single(editor: TreeEditor, report: Report, kver: str, name: str) -> None:
    chosen = [one for one in find_device_trees(editor, kver) if _fits(one.name, name)]
    if len(chosen) != 1:
        what = "no device tree" if not chosen else f"{len(chosen)} device trees called"
        known = [one.name for one in find_device_trees(editor, kver)]
        report.conflict(
            "devicetree.missing",
            MODULES,
            f"there is {what} {name}" if not chosen else f"there are {what} {name}",
            f"there is: {listed(known) or 'none'}",
        )
        return
    place = f"{MODULES}/{kver}/devicetree"
    editor.copy(chosen[0].path, place)
    report.tell("devicetree.chosen", place, f"chose the device tree {chosen[0].name}")


def _put(editor: TreeEditor, found: FoundFile, place: str) -> int:
    editor.remove(f"{place}/{found.name}")
    editor.move(found.path, f"{place}/{found.name}")
    return 1


def _in_boot(editor: TreeEditor, kver: str) -> Iterator[FoundFile]:
    for name in editor.names("boot"):
        if name.endswith(_SUFFIXES) and editor.is_file(f"boot/{name}"):
            yield FoundFile(f"boot/{name}", name)
    for folder in (f"boot/dtbs/{kver}", f"boot/dtb-{kver}", "boot/dtb", "boot/devicetree"):
        yield from _below(editor, folder)


def _below(editor: TreeEditor, folder: str) -> Iterator[FoundFile]:
    for name in _files(editor, folder):
        if name.endswith(_SUFFIXES):
            yield FoundFile(f"{folder}/{name}", name)


def _files(editor: TreeEditor, folder: str) -> Iterator[str]:
    for path in list(editor.files_below(folder)):
        if editor.is_file(path):
            yield path[len(folder) + 1 :] if folder else path


def _by_path(editor: TreeEditor, pattern: str) -> Iterator[FoundFile]:
    folder = pattern.rpartition("/")[0]
    while any(char in folder for char in "*?["):
        folder = folder.rpartition("/")[0]
    for name in _files(editor, folder):
        path = f"{folder}/{name}" if folder else name
        if fnmatchcase(path, pattern):
            yield FoundFile(path, path.rpartition("/")[2])


def _fits(name: str, pattern: str) -> bool:
    """Say whether a pattern is about a name, or about the end of it behind a slash."""
    return fnmatchcase(name, pattern) or fnmatchcase(name.rpartition("/")[2], pattern)
