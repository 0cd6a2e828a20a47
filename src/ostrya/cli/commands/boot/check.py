# SPDX-License-Identifier: Apache-2.0
"""``boot check``: run the health checks, and see that there is something to fall back to.

With --act, as a service does it: where the running deployment is on trial and something that is
required fails, the machine is restarted, so that the start counts as a failed one.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ostrya._linux.process import run as run_program
from ostrya.boot.trial import End
from ostrya.cli.kernel_line import running_kargs
from ostrya.cli.options import flag
from ostrya.cli.output import write_json, write_line, write_message
from ostrya.cli.sysroot_lookup import changing_sysroot, reading_sysroot
from ostrya.errors import OstryaError, SysrootError
from ostrya.sysroot.boot_status import read_boot_status
from ostrya.sysroot.health import (
    describe,
    find_checks,
    is_healthy,
    read_settings,
    run_checks,
    run_hooks,
)
from ostrya.sysroot.verdict import Verdict, is_on_trial, mark_bad, note_complaint

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.sysroot.health import CheckResult

PARAMETERS = ""
OPTIONS = (flag("act", "Restart the machine if a release on trial fails"),)
_FAILED = 50


def run(arguments: Arguments, context: Context) -> int:
    """Run them."""
    settings = read_settings("/")
    results: list[CheckResult] = []
    for result in run_checks(find_checks("/", settings, _answers)):
        results.append(result)
        if not context.json:
            _print(result)
    healthy = is_healthy(results)
    with reading_sysroot(arguments, context.environment) as (sysroot, loaded):
        status = read_boot_status(sysroot, loaded, running_kargs(sysroot))
        on_trial = is_on_trial(sysroot, loaded)
        fails_fast = sysroot.settings.rollback.fail_fast
    damage = () if status is None else status.damage
    if context.json:
        shown = [one.as_json() for one in results]
        write_json({"healthy": healthy, "checks": shown, "damage": list(damage)})
    else:
        for line in damage:
            write_line(f"damage: {line}")
    if not arguments.flag("act"):
        return 0 if healthy and not damage else _FAILED
    for hook in run_hooks("/", settings, healthy=healthy):
        if hook.problem:
            write_message(f"{hook.name}: {hook.problem}")
    if healthy:
        return 0
    if on_trial:
        _give_up(arguments, context, describe(results), fails_fast=fails_fast)
    raise SysrootError(f"this start is not a good one: {describe(results)}")


def _print(result: CheckResult) -> None:
    word = "ok" if not result.problem else "FAILED" if result.required else "failed"
    said = f": {result.problem}" if result.problem else ""
    write_line(f"{word:6} {result.name} ({result.seconds:.1f} s){said}")


def _answers(address: str, deadline_s: float) -> str:
    from ostrya.fetch.reach import reach

    return reach(address, deadline_s)


def _give_up(arguments: Arguments, context: Context, why: str, *, fails_fast: bool) -> None:
    """Note why, and restart; the loader counts what was started."""
    write_message(f"this start failed its health checks, and the release is on trial: {why}")
    try:
        _note(arguments, context, why, fails_fast=fails_fast)
    except (OstryaError, OSError) as exc:
        # The disk itself may be what is not well. As a failed start it counts in any case.
        write_message(f"the verdict could not be noted: {exc}")
    os.sync()
    run_program(["systemctl", "--no-block", "reboot"])


def _note(arguments: Arguments, context: Context, why: str, *, fails_fast: bool) -> None:
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        if loaded.booted is None:
            return
        if fails_fast:
            verdict = Verdict(End.HEALTH, why, int(time.time()))
            mark_bad(sysroot, loaded, loaded.booted, verdict)
        else:
            note_complaint(sysroot, loaded, why)
