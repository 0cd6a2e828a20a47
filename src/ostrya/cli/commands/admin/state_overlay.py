# SPDX-License-Identifier: Apache-2.0
"""``admin state-overlay``: mount a layer that keeps what is written to a directory of the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.sysroot_lookup import reading_sysroot
from ostrya.sysroot.state_overlay import mount_state_overlay

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME MOUNTPATH"
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Mount it."""
    if len(arguments.positionals) < 2:
        raise UsageError("Missing NAME or MOUNTPATH")
    name, path = arguments.positionals[:2]
    with reading_sysroot(arguments, context.environment) as (sysroot, loaded):
        mount_state_overlay(sysroot, loaded, name, path)
    return 0
