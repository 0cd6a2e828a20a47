# SPDX-License-Identifier: Apache-2.0
"""``admin kargs edit-in-place``: change kernel arguments of all deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import texts
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.change import set_kargs

if TYPE_CHECKING:
    from ostrya.boot.kargs import KernelArguments
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (texts("append-if-missing", "NAME=VALUE", "Add an argument, unless its name is there"),)


def run(arguments: Arguments, context: Context) -> int:
    """Change them."""

    def change(_at: int, kargs: KernelArguments) -> KernelArguments:
        for word in arguments.texts("append-if-missing"):
            kargs = kargs.append_if_missing(word)
        return kargs

    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        set_kargs(sysroot, loaded, change)
    return 0
