# SPDX-License-Identifier: Apache-2.0
"""``admin stateroot-init``, ``admin os-init``: make the place of a system in a sysroot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.output import write_line
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.stateroot import make_stateroot

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "STATEROOT"
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Make it."""
    if not arguments.positionals:
        raise context.usage_error("STATEROOT must be specified")
    name = arguments.positionals[0]
    with changing_sysroot(arguments, context.environment) as (sysroot, _):
        make_stateroot(sysroot, name)
    write_line(f"ostree/deploy/{name} initialized as OSTree stateroot")
    return 0
