# SPDX-License-Identifier: Apache-2.0
"""``admin instutil set-kargs``: set the kernel arguments of the default deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.kargs import KernelArguments
from ostrya.cli.line_files import read_text_file
from ostrya.cli.options import flag, texts
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.change import set_kargs

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "[NAME=VALUE...]"
OPTIONS = (
    flag("import-proc-cmdline", "Begin with the arguments of the running kernel"),
    flag("merge", "Begin with those that there are"),
    texts("replace", "NAME=VALUE", "Set an argument, in place of others of its name"),
    texts("append", "NAME=VALUE", "Add an argument"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Set them."""

    def change(at: int, kargs: KernelArguments) -> KernelArguments:
        if at > 0:
            return kargs
        if arguments.flag("import-proc-cmdline"):
            running = KernelArguments.running(read_text_file("/proc/cmdline"))
            kargs = running.without("ostree")
        elif not arguments.flag("merge"):
            kargs = KernelArguments()
        for word in arguments.texts("replace"):
            kargs = kargs.set(word)
        for word in (*arguments.texts("append"), *arguments.positionals):
            kargs = kargs.append(word)
        return kargs

    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        set_kargs(sysroot, loaded, change)
    return 0
