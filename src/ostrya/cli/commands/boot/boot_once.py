# SPDX-License-Identifier: Apache-2.0
"""``boot boot-once``: start a deployment the next time only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.output import write_line
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.change import find_index
from ostrya.sysroot.verdict import start_once

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "INDEX"
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Note it for the loader."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("INDEX must be specified")
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        deployment = loaded.all[find_index(loaded, arguments.positionals[0])]
        start_once(sysroot, loaded, deployment)
        write_line(f"The next start is of deployment {deployment.name}")
    return 0
