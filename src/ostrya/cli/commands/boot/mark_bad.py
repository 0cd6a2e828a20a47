# SPDX-License-Identifier: Apache-2.0
"""``boot mark-bad``: a deployment is bad: the next start is of what it falls back to.

Without INDEX it is the running deployment.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ostrya.boot.trial import End
from ostrya.cli.options import text
from ostrya.cli.output import write_line
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.change import find_index
from ostrya.sysroot.errors import NotBooted
from ostrya.sysroot.verdict import Verdict, mark_bad

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "[INDEX]"
OPTIONS = (text("reason", "TEXT", "What is wrong, for `boot status`"),)


def run(arguments: Arguments, context: Context) -> int:
    """Say so."""
    if len(arguments.positionals) > 1:
        raise context.usage_error("Too many arguments")
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        if arguments.positionals:
            deployment = loaded.all[find_index(loaded, arguments.positionals[0])]
        elif loaded.booted is not None:
            deployment = loaded.booted
        else:
            raise NotBooted(
                "no deployment of this sysroot is running", hint="say which one by its INDEX"
            )
        verdict = Verdict(End.MANUAL, arguments.text("reason") or "", int(time.time()))
        mark_bad(sysroot, loaded, deployment, verdict)
        write_line(f"Deployment {deployment.name} is bad, and is not started any more")
    return 0
