# SPDX-License-Identifier: Apache-2.0
"""``admin instutil grub2-generate``: print GRUB menu entries, for grub-mkconfig's ``15_ostree``.

That script sets GRUB2_BOOT_DEVICE_ID and GRUB2_PREPARE_ROOT_CACHE; grub-mkconfig was started for
the entries of _OSTREE_GRUB2_BOOTVERSION, or of those that are current where nobody says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.boot.backends.grub2 import Mkconfig, make_menu
from ostrya.boot.entry_files import read_entry_files
from ostrya.cli.output import write
from ostrya.cli.sysroot_lookup import reading_sysroot
from ostrya.errors import SysrootError
from ostrya.sysroot.loader import loader_context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "[BOOTVERSION]"
OPTIONS: tuple[Option, ...] = ()
_BOOTVERSION = re.compile(r"0*[01]")


def run(arguments: Arguments, context: Context) -> int:
    """Print them."""
    variables = context.environment.loader_variables
    with reading_sysroot(arguments, context.environment) as (sysroot, loaded):
        named = (*arguments.positionals, variables.get("_OSTREE_GRUB2_BOOTVERSION"))[0]
        bootversion = loaded.bootversion if named is None else _parse_bootversion(named)
        folder = loader_context(sysroot, loaded).entries_dir(bootversion)
        files = read_entry_files(folder, dir_fd=sysroot.dir_fd)
        mkconfig = Mkconfig(
            _require(variables, "GRUB2_BOOT_DEVICE_ID"),
            _require(variables, "GRUB2_PREPARE_ROOT_CACHE"),
        )
        write(make_menu([file.entry for file in files], mkconfig))
    return 0


def _parse_bootversion(text: str) -> int:
    if not _BOOTVERSION.fullmatch(text):
        raise SysrootError(f"Invalid bootversion: {text}", hint="it is 0 or 1")
    return int(text)


def _require(variables: Mapping[str, str], name: str) -> str:
    if name not in variables:
        raise SysrootError(
            f"{name} is not set", hint="grub-mkconfig calls this, through /etc/grub.d/15_ostree"
        )
    return variables[name]
