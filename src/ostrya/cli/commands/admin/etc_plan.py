# SPDX-License-Identifier: Apache-2.0
"""``admin etc-plan``: say what the next deployment's merge will do with ``/etc``, and why.

The next deployment is one of REF, a commit that is here; by default, of what is followed, as it
was pulled last. With --index it is that of a deployment. One line for each path, conflicts first::

    conflict  app/conf: a file here, a directory in the new defaults
    kept      hosts: changed here
    updated   issue: the new default

The exit status is 1 if there is a conflict: nothing can be deployed then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag, text
from ostrya.cli.output import write, write_json, write_line
from ostrya.cli.sysroot_lookup import reading_sysroot
from ostrya.repo.refs import require_rev
from ostrya.sysroot.change import find_index
from ostrya.sysroot.etc_ahead import EtcStep, plan_etc_ahead
from ostrya.sysroot.order import require_merge_deployment
from ostrya.sysroot.upgrade import find_target

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.formats.checksum import Checksum
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot

PARAMETERS = "[REF]"
OPTIONS = (
    text("os", "STATEROOT", "The system; default: the running one"),
    text("stateroot", "STATEROOT", "The same"),
    text("index", "INDEX", "Take the defaults of this deployment, not those of REF"),
    flag("diff", "Show the lines that differ"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Print it."""
    named = arguments.text("stateroot") or arguments.text("os")
    if arguments.positionals and arguments.text("index") is not None:
        raise context.usage_error("REF and --index say both what is deployed next")
    with reading_sysroot(arguments, context.environment) as (sysroot, loaded):
        merge = require_merge_deployment(loaded, named)
        checksum = _next(sysroot, loaded, named, arguments)
        steps = plan_etc_ahead(sysroot, merge, checksum)
        diffs: dict[str, str] = {}
        if arguments.flag("diff"):
            from ostrya.sysroot.etc_text import diff_steps

            diffs = diff_steps(sysroot, merge, checksum, steps)
    if context.json:
        write_json(
            {
                "from": str(merge.name),
                "to": checksum,
                "steps": [{**step._asdict(), "diff": diffs.get(step.path)} for step in steps],
            }
        )
    else:
        for step in steps:
            write_line(f"{step.outcome:<9} {step.path}: {step.why}")
            write(diffs.get(step.path, ""))
        if not steps:
            write_line("Nothing in /etc was changed, nor would be.")
    return 1 if _has_conflict(steps) else 0


def _next(
    sysroot: Sysroot, loaded: Loaded, stateroot: str | None, arguments: Arguments
) -> Checksum:
    index = arguments.text("index")
    if index is not None:
        return loaded.all[find_index(loaded, index)].checksum
    if arguments.positionals:
        return require_rev(sysroot.repo, arguments.positionals[0])
    return require_rev(sysroot.repo, find_target(loaded, stateroot).refspec)


def _has_conflict(steps: list[EtcStep]) -> bool:
    return any(step.outcome == "conflict" for step in steps)
