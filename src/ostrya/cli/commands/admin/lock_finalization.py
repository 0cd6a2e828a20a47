# SPDX-License-Identifier: Apache-2.0
"""``admin lock-finalization``: let a staged deployment wait for longer than the next shutdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag
from ostrya.cli.output import write_line
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.stage import set_finalization_locked

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (flag("unlock", "Let it be booted after the next shutdown", short="u"),)
# What is said: once it was changed, and where it was so already.
_WORDS = {
    True: ("now finalization locked", "already finalization locked"),
    False: ("now queued to apply on shutdown", "already prepared for finalization"),
}


def run(arguments: Arguments, context: Context) -> int:
    """Lock it, or let it go."""
    locked = not arguments.flag("unlock")
    with changing_sysroot(arguments, context.environment) as (sysroot, _):
        is_new = set_finalization_locked(sysroot, locked=locked)
    changed, unchanged = _WORDS[locked]
    write_line(f"Staged deployment is {changed if is_new else unchanged}")
    return 0
