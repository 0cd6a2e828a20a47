# SPDX-License-Identifier: Apache-2.0
"""``boot settle``: if the loader fell back, make what is running the default again.

A service does it early in every start.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ostrya.cli.kernel_line import running_kargs
from ostrya.cli.output import write_line
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.settle import settle

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Look, and act if need be."""
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        bad = settle(sysroot, loaded, running_kargs(sysroot), int(time.time()))
        if bad is not None:
            write_line(f"Rolled back from release {bad.checksum}: {bad.describe()}")
    return 0
