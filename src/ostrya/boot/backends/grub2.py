# SPDX-License-Identifier: Apache-2.0
"""``grub.cfg`` for GRUB 2: a menu entry for each boot entry. Pure.

::

    menuentry 'Example OS 2.0 (ostree:0)' --class gnu-linux --class gnu --class os …
            linux /boot/ostree/os-3f…/vmlinuz-6.1.0 root=LABEL=root ostree=/ostree/boot.0/os/3f…/0
            initrd /boot/ostree/os-3f…/initramfs-6.1.0.img
    }

`make_menu` is a part of what grub-mkconfig writes; `make_grub_cfg` is a whole file where there is
no grub-mkconfig. Commands are those of GRUB since 2.02, without ``16`` or ``efi`` behind them, as
in libostree for Debian. Further ramdisks are named too, where libostree leaves them out.

Source: ostree-bootloader-grub2.c; ostree-grub-generator.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.boot.backends.lines import kernel_of
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.boot.bls import Entry

CONFIG = "grub.cfg"
_CLASSES = "--class gnu-linux --class gnu --class os --unrestricted"
_UNTITLED = "(Untitled)"
# GRUB's shell gives these a meaning; blanks within double quotes it understands as the kernel does.
_SHELLS_OWN = re.compile(r"[;|&$<>{}()\\'#`]")
_WORD = re.compile(r'(?:"[^"]*"?|[^ "])+')
_HEADER = """\
# Written from the boot entries beside it, and anew with every deployment.
serial --unit=0 --speed=115200 --word=8 --parity=no --stop=1
set default=0
set timeout=10
"""


class Mkconfig(NamedTuple):
    """What grub-mkconfig knows of the disk.

    Attributes:
        device_id: Tells its menu entries from those of other disks.
        prepare_root: Commands that make the disk of ``/boot`` the one that paths are on.
    """

    device_id: str
    prepare_root: str


def make_menu(entries: Sequence[Entry], mkconfig: Mkconfig) -> str:
    """Return menu entries to be put between those of others, byte for byte as libostree's.

    Args:
        entries: The entries, the default first.
        mkconfig: What grub-mkconfig knows.

    Raises:
        EntryInvalid: An entry has no kernel.
    """
    text = ""
    for index, entry in enumerate(entries):
        title = _quote(entry.fields.get("title", _UNTITLED))
        identifier = _quote(f"ostree-{index}-{mkconfig.device_id}")
        text += f"menuentry {title} {_CLASSES} {identifier} {{\n"
        text += "load_video\nset gfxpayload=keep\ninsmod gzio\n"
        text += f"{mkconfig.prepare_root}\n"
        options = f" {entry.fields['options']}" if "options" in entry.fields else ""
        text += f"linux {kernel_of(entry)}{options}\n"
        initrds = _initrds(entry)
        if initrds:
            text += f"initrd {' '.join(initrds)}\n"
        if "devicetree" in entry.fields:
            text += f"devicetree {entry.fields['devicetree']}\n"
        text += "}\n"
    return text


def make_grub_cfg(entries: Sequence[Entry], *, prefix: str, finds_disk: bool) -> str:
    """Return the text of a whole file.

    Args:
        entries: The entries, the default first.
        prefix: What paths of entries lack to be paths of the disk that GRUB sees.
        finds_disk: Whether GRUB has to look for that disk, by the kernel on it; otherwise it is the
            one that this file is on.

    Raises:
        EntryInvalid: An entry has no kernel.
    """
    text = _HEADER
    for index, entry in enumerate(entries):
        text += f"\nmenuentry {menu_title(entry)} {_CLASSES} --id ostree-{index} {{\n"
        if finds_disk:
            text += f"\tsearch --no-floppy --file --set=root {prefix}{kernel_of(entry)}\n"
        text += "".join(f"\t{line}\n" for line in start_lines(entry, prefix))
        text += "}\n"
    return text


def menu_title(entry: Entry) -> str:
    """Return what an entry is called in the menu, as a word of GRUB's."""
    return _quote(entry.fields.get("title", _UNTITLED))


def start_lines(entry: Entry, prefix: str, *more: str) -> list[str]:
    """Return the commands that load what an entry starts.

    Args:
        entry: The entry.
        prefix: What its paths lack to be paths of the disk that GRUB sees.
        more: Words of GRUB's behind the kernel's arguments.

    Raises:
        EntryInvalid: It has no kernel.
    """
    kernel = f"{prefix}{kernel_of(entry)}"
    lines = [f"linux {' '.join([kernel, *_words(entry.fields.get('options', '')), *more])}"]
    initrds = [f"{prefix}{path}" for path in _initrds(entry)]
    if initrds:
        lines.append(f"initrd {' '.join(initrds)}")
    if "devicetree" in entry.fields:
        lines.append(f"devicetree {prefix}{entry.fields['devicetree']}")
    return lines


def _initrds(entry: Entry) -> list[str]:
    first = entry.fields.get("initrd")
    return [] if first is None else [first, *entry.overlay_initrds]


def _words(options: str) -> list[str]:
    """Return the kernel's arguments as GRUB's shell has to read them."""
    return [
        _quote(word.replace('"', "")) if _SHELLS_OWN.search(word) or word.count('"') % 2 else word
        for word in _WORD.findall(options)
    ]


def _quote(text: str) -> str:
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"
