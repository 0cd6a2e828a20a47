# SPDX-License-Identifier: Apache-2.0
"""``admin rollback``: boot by default what was booted before.

Done twice, it goes forth again. Nothing is deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.output import write_line
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.change import rollback_index, set_default

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Put it first."""
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        index = rollback_index(loaded)
        chosen = loaded.all[index]
        set_default(sysroot, loaded, index)
    write_line(f"Next boot: {chosen.stateroot} {chosen.name}")
    return 0
