# SPDX-License-Identifier: Apache-2.0
"""``syslinux.cfg`` for SYSLINUX: a label for each entry, beside what others wrote. Pure.

::

    TIMEOUT 50                                        stays
    LABEL Memory test                                 stays, since its kernel is not ours
    → KERNEL /memtest
    DEFAULT Example OS 2.0 (ostree:0)                 if the default was ours, or nobody's
    LABEL Example OS 2.0 (ostree:0)
    → KERNEL /boot/ostree/os-3f…/vmlinuz-6.1.0
    → INITRD /boot/ostree/os-3f…/initramfs-6.1.0.img
    → APPEND root=LABEL=root ostree=/ostree/boot.0/os/3f…/0

A default of somebody else stays, where libostree drops it.

Source: ostree-bootloader-syslinux.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.backends.lines import join_lines, kernel_of
from ostrya.boot.errors import EntryInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostrya.boot.bls import Entry

CONFIG = "syslinux.cfg"
_OURS = ("/ostree/", "/boot/ostree/")
_KERNEL = "\tKERNEL "
_LABEL = "LABEL "
_DEFAULT = "DEFAULT "
_PATHS = (("INITRD", "initrd"), ("DEVICETREE", "devicetree"))


def make_syslinux(old: str, entries: Sequence[Entry], *, prefix: str = "/boot") -> str:
    """Return the text of the file.

    Args:
        old: What it was.
        entries: The entries, the default first.
        prefix: What paths of entries lack.

    Raises:
        EntryInvalid: An entry has no kernel, or a label in the old file has none.
    """
    kept = []
    is_default_ours = True
    for block in _blocks(old):
        if block[0].startswith(_LABEL):
            if not _kernel_of_label(block).startswith(_OURS):
                kept += block
        elif block[0].startswith(_DEFAULT):
            is_default_ours = block[0].startswith("DEFAULT ostree:") or "(ostree" in block[0]
            if not is_default_ours:
                kept += block
        else:
            kept += block
    for index, entry in enumerate(entries):
        title = entry.fields.get("title", "(Untitled)")
        if is_default_ours and index == 0:
            kept.append(f"DEFAULT {title}")
        kept += [f"LABEL {title}", f"\tKERNEL {prefix}{kernel_of(entry)}"]
        kept += [
            f"\t{word} {prefix}{entry.fields[key]}" for word, key in _PATHS if key in entry.fields
        ]
        if "options" in entry.fields:
            kept.append(f"\tAPPEND {entry.fields['options']}")
    return join_lines(kept)


def _blocks(text: str) -> Iterator[list[str]]:
    """Yield labels with the lines that belong to them, and other lines by themselves."""
    label: list[str] = []
    for line in text.split("\n"):
        if label and line.startswith("\t"):
            label.append(line)
            continue
        if label:
            yield label
            label = []
        if line.startswith(_LABEL):
            label = [line]
        else:
            yield [line]
    if label:
        yield label


def _kernel_of_label(block: list[str]) -> str:
    for line in reversed(block):
        if line.startswith(_KERNEL):
            return line.removeprefix(_KERNEL)
    raise EntryInvalid(
        "No KERNEL argument found after LABEL", hint=f"look at '{block[0]}' in syslinux.cfg"
    )
