# SPDX-License-Identifier: Apache-2.0
"""``admin pin``: keep deployments from being cleaned away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag
from ostrya.cli.output import write_line
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.change import find_index, set_pinned

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "INDEX|booted|pending|rollback..."
OPTIONS = (flag("unpin", "Let go of it again", short="u"),)


def run(arguments: Arguments, context: Context) -> int:
    """Pin them, or let go."""
    if not arguments.positionals:
        raise context.usage_error("INDEX must be specified")
    pinned = not arguments.flag("unpin")
    word = "pinned" if pinned else "unpinned"
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        for text in arguments.positionals:
            index = find_index(loaded, text)
            deployment = loaded.all[index]
            if deployment.pinned == pinned:
                write_line(f"Deployment {index} is already {word}")
                continue
            set_pinned(sysroot, deployment, pinned=pinned)
            write_line(f"Deployment {index} is now {word}")
    return 0
