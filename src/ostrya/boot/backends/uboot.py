# SPDX-License-Identifier: Apache-2.0
"""``uEnv.txt`` for U-Boot: variables of each entry, for a board's script to import. Pure.

::

    kernel_image=/boot/ostree/os-3f…/vmlinuz-6.1.0
    ramdisk_image=/boot/ostree/os-3f…/initramfs-6.1.0.img
    fdt_file=/boot/ostree/os-3f…/devicetree-6.1.0
    bootargs=root=LABEL=root ostree=/ostree/boot.0/os/3f…/0
    kernel_image2=…

The default has no number, the next one is 2. Behind the default's come the lines of the tree's own
``usr/lib/ostree-boot/uEnv.txt``. ``/boot`` stands before every path, whether paths begin with it or
not; where they do, the link ``/boot/boot`` leads back. On VFAT, which has no such link, paths are
those of the file system.

Where there is automatic rollback, a release is not to get at what is said of its fallback, neither
by the names in its own file nor by a line that does not end: see `lines_of_tree`.

Source: ostree-bootloader-uboot.c.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.boot.backends.lines import join_lines, kernel_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.boot.bls import Entry

CONFIG = "uEnv.txt"
TREES_OWN = "usr/lib/ostree-boot/uEnv.txt"
_OURS = re.compile(
    r"(kernel_image|ramdisk_image|fdt_file|fdtdir|bootargs)[0-9]*|dep_.*"
    r"|(fdt_overlays|fdtfile)[0-9]+"
)
_PATHS = (("ramdisk_image", "initrd"), ("fdt_file", "devicetree"), ("fdtdir", "fdtdir"))


def make_uenv(entries: Sequence[Entry], trees_own: str | None, *, prefix: str = "/boot") -> str:
    """Return the text of the file.

    Args:
        entries: The entries, the default first.
        trees_own: The text of the default tree's own file; None if it has none.
        prefix: What stands before every path.

    Raises:
        EntryInvalid: An entry has no kernel.
    """
    lines: list[str] = []
    for index, entry in enumerate(entries):
        number = "" if index == 0 else str(index + 1)
        lines.append(f"kernel_image{number}={prefix}{kernel_of(entry)}")
        lines += [
            f"{variable}{number}={prefix}{entry.fields[key]}"
            for variable, key in _PATHS
            if key in entry.fields
        ]
        if "options" in entry.fields:
            # U-Boot takes what is behind a backslash as it is, be it the end of the line.
            options = entry.fields["options"].replace("\\", "\\\\")
            lines.append(f"bootargs{number}={options}")
            if index == 0 and trees_own is not None:
                lines.append(trees_own)
    return join_lines(lines)


def lines_of_tree(text: str) -> str:
    """Return a tree's own text without what only we have to say, and what U-Boot reads further."""
    return "\n".join(line for line in text.split("\n") if not _is_ours_to_say(line))


def fallback_lines(text: str, names: Sequence[str]) -> list[str]:
    """Return what the fallback's own text says of some variables, as the second entry's."""
    said = {}
    for line in lines_of_tree(text).split("\n"):
        name, equals, value = line.strip().partition("=")
        if equals and name in names:
            said[name] = value
    return [f"{name}2={value}" for name, value in said.items()]


def _is_ours_to_say(line: str) -> bool:
    name = line.partition("=")[0].strip()
    return "\0" in line or line.endswith("\\") or _OURS.fullmatch(name) is not None
