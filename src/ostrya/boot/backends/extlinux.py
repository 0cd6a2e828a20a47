# SPDX-License-Identifier: Apache-2.0
"""``extlinux.conf`` for U-Boot's own menu, where no script is wanted. Pure.

::

    default ostrya-0
    timeout 20                                        tenths of a second
    fallback ostrya-1                                 of U-Boot since 2024, with its own counter
    label ostrya-0
        menu label Example OS 2.0 (ostree:0)
        kernel /boot/ostree/os-3f…/vmlinuz-6.1.0
        initrd /boot/ostree/os-3f…/initramfs-6.1.0.img
        fdt /boot/ostree/os-3f…/devicetree-6.1.0      or fdtdir
        append root=LABEL=root ostree=/ostree/boot.0/os/3f…/0

It is written where ``boot/extlinux/extlinux.conf`` leads to it. U-Boot looks for it before
``boot.scr``, so that a disk has the one or the other.

Source: U-Boot's doc/README.pxe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.backends.lines import kernel_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.boot.bls import Entry

CONFIG = "extlinux.conf"
_PATHS = (("initrd", "initrd"), ("fdt", "devicetree"), ("fdtdir", "fdtdir"))


def make_extlinux(entries: Sequence[Entry], *, prefix: str = "/boot") -> str:
    """Return the text of the file.

    Args:
        entries: The entries, the default first, its fallback second.
        prefix: What stands before every path.

    Raises:
        EntryInvalid: An entry has no kernel.
    """
    lines = ["# Written from the boot entries beside it, and anew with every deployment."]
    if entries:
        lines += ["default ostrya-0", "timeout 20"]
    if len(entries) > 1:
        lines.append("fallback ostrya-1")
    for index, entry in enumerate(entries):
        lines += [
            f"label ostrya-{index}",
            f"\tmenu label {entry.fields.get('title', '(Untitled)')}",
            f"\tkernel {prefix}{kernel_of(entry)}",
        ]
        lines += [
            f"\t{word} {prefix}{entry.fields[key]}" for word, key in _PATHS if key in entry.fields
        ]
        if "options" in entry.fields:
            lines.append(f"\tappend {entry.fields['options']}")
    return "".join(f"{line}\n" for line in lines)
