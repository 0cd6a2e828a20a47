# SPDX-License-Identifier: Apache-2.0
"""``admin undeploy``: delete a deployment, which is not the running one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.output import write_line
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.change import find_index, undeploy

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "INDEX"
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Delete it, and what only it needed."""
    if not arguments.positionals:
        raise context.usage_error("INDEX must be specified")
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        gone, _ = undeploy(sysroot, loaded, find_index(loaded, arguments.positionals[0]))
    write_line(f"Deleted deployment {gone.name}")
    return 0
