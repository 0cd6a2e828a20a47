# SPDX-License-Identifier: Apache-2.0
"""``admin init-fs``: make a directory a sysroot, with a repository and no system yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag, number
from ostrya.errors import SysrootError
from ostrya.sysroot.stateroot import make_sysroot

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "PATH"
OPTIONS = (
    flag("modern", "Make nothing but boot and ostree"),
    number(
        "epoch", "EPOCH", "0: a root with mount points; 1: --modern; 2: ostree is for root only"
    )._replace(short="E"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Make it."""
    if not arguments.positionals:
        raise context.usage_error("PATH must be specified")
    epoch = arguments.number("epoch") or 0
    if epoch < 0:
        raise SysrootError(f"Invalid epoch: {epoch}")
    if arguments.flag("modern") and epoch == 0:
        epoch = 1
    make_sysroot(arguments.positionals[0], epoch=epoch)
    return 0
