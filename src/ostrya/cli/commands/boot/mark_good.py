# SPDX-License-Identifier: Apache-2.0
"""``boot mark-good``: the running deployment is good, and its trial is over.

A service does it once all health checks went well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag
from ostrya.cli.output import write_line
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.verdict import mark_good

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (flag("if-on", "Do nothing where there is no automatic rollback"),)


def run(arguments: Arguments, context: Context) -> int:
    """Say so."""
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        if arguments.flag("if-on") and not sysroot.settings.rollback.is_on:
            return 0
        is_news = mark_good(sysroot, loaded)
        if loaded.booted is not None:
            word = "is good; its trial is over" if is_news else "is good"
            write_line(f"Deployment {loaded.booted.name} {word}")
    return 0
