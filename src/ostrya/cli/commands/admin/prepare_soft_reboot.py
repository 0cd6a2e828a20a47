# SPDX-License-Identifier: Apache-2.0
"""``admin prepare-soft-reboot``: put a deployment's root together for ``systemctl soft-reboot``.

Only a deployment with the running kernel and its arguments can be gone over to so, and only one
that is mounted from its directory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.process import run as run_program
from ostrya.cli.options import flag
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.change import find_index
from ostrya.sysroot.soft_reboot import clear_soft_reboot, prepare_soft_reboot

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "INDEX"
OPTIONS = (
    flag("reboot", "Restart once it is prepared"),
    flag("reset", "Take back what was prepared"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Prepare it."""
    words = arguments.positionals
    if not words and not arguments.flag("reset"):
        raise context.usage_error("INDEX must be specified")
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        if arguments.flag("reset"):
            clear_soft_reboot(sysroot)
            return 0
        prepare_soft_reboot(sysroot, loaded, find_index(loaded, words[0]))
    if arguments.flag("reboot"):
        run_program(["systemctl", "soft-reboot"])
    return 0
