# SPDX-License-Identifier: Apache-2.0
"""``admin cleanup``: delete what no deployment needs.

Deployments that no boot entry leads to, their kernels in ``/boot``, and objects that neither refs
nor deployments reach. Nothing that can be booted goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.cleanup import clean_up

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Clean up."""
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        clean_up(sysroot, loaded)
    return 0
