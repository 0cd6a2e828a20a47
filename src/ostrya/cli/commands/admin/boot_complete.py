# SPDX-License-Identifier: Apache-2.0
"""``admin boot-complete``: what ``ostree-boot-complete.service`` does.

It fails if the last shutdown could not finalize a staged deployment, so that somebody notices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.running import is_booted
from ostrya.sysroot.stage import complete_boot

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Note what happened."""
    if not is_booted():
        return 0
    with changing_sysroot(arguments, context.environment) as (sysroot, _):
        complete_boot(sysroot)
    return 0
