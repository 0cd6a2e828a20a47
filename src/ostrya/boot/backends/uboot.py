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

Source: ostree-bootloader-uboot.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.backends.lines import join_lines, kernel_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.boot.bls import Entry

CONFIG = "uEnv.txt"
TREES_OWN = "usr/lib/ostree-boot/uEnv.txt"
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
            lines.append(f"bootargs{number}={entry.fields['options']}")
            if index == 0 and trees_own is not None:
                lines.append(trees_own)
    return join_lines(lines)
