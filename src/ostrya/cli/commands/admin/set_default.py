# SPDX-License-Identifier: Apache-2.0
"""``admin set-default``: boot another deployment by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.change import find_index, set_default

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "INDEX"
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Put it first."""
    if not arguments.positionals:
        raise context.usage_error("INDEX must be specified")
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        set_default(sysroot, loaded, find_index(loaded, arguments.positionals[0]))
    return 0
