# SPDX-License-Identifier: Apache-2.0
"""``boot expire``: restart the machine if what is running is still on trial.

A timer does it: a start that hangs never says that it is a bad one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.process import run as run_program
from ostrya.cli.output import write_message
from ostrya.cli.sysroot_lookup import reading_sysroot
from ostrya.sysroot.verdict import is_on_trial

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Restart, or do nothing."""
    with reading_sysroot(arguments, context.environment) as (sysroot, loaded):
        if not is_on_trial(sysroot, loaded):
            return 0
    write_message("this start did not come to its end in time, and the release is on trial")
    # Without waiting for what hangs; file systems are synced.
    run_program(["systemctl", "--force", "reboot"])
    return 0
