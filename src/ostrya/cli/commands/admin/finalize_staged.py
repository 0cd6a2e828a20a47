# SPDX-License-Identifier: Apache-2.0
"""``admin finalize-staged``: what ``ostree-finalize-staged.service`` does while it stops.

With --hold, keep ``/boot`` open, mounted by automount perhaps, until the unit is stopped.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from ostrya.cli.options import flag
from ostrya.cli.sysroot_lookup import changing_sysroot, reading_sysroot, sysroot_path
from ostrya.sysroot.running import find_running, is_booted
from ostrya.sysroot.stage import finalize_staged, noting_failure

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (flag("hold", "Hold /boot open during finalization"),)


def run(arguments: Arguments, context: Context) -> int:
    """Finalize it, if there is one."""
    if not is_booted():
        return 0
    if arguments.flag("hold"):
        with reading_sysroot(arguments, context.environment) as (sysroot, _):
            os.fstat(sysroot.boot_fd)
            signal.pause()
        return 0
    path = sysroot_path(arguments, context.environment)
    with (
        noting_failure(path, find_running(path)),
        changing_sysroot(arguments, context.environment) as (sysroot, loaded),
    ):
        finalize_staged(sysroot, loaded)
    return 0
