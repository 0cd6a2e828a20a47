# SPDX-License-Identifier: Apache-2.0
"""``boot status``: what is started next, what is on trial, and what was rolled back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.trial import Why
from ostrya.cli.dump import format_utc
from ostrya.cli.kernel_line import running_kargs
from ostrya.cli.output import write_json, write_line
from ostrya.cli.sysroot_lookup import reading_sysroot
from ostrya.sysroot.boot_status import read_boot_status

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments
    from ostrya.sysroot.boot_status import BootStatus

PARAMETERS = ""
OPTIONS: tuple[Option, ...] = ()
_PICKS = {
    Why.USUAL: "as usual",
    Why.TRIAL: "on trial",
    Why.TRIES: "fallback: the default did not come up",
    Why.BAD: "fallback: the default is known to be bad",
    Why.LOAD: "fallback: the default could not be loaded",
    Why.UNWRITABLE: "fallback: starts of the default could not be counted",
    Why.LAST: "last resort: the fallback could not be loaded either",
    Why.ONCE: "once, as somebody asked",
}


def run(arguments: Arguments, context: Context) -> int:
    """Print it."""
    with reading_sysroot(arguments, context.environment) as (sysroot, loaded):
        status = read_boot_status(sysroot, loaded, running_kargs(sysroot))
    if context.json:
        write_json({"rollback": None if status is None else status.as_json()})
    elif status is None:
        write_line("Automatic rollback: off")
    else:
        _print(status)
    return 0


def _print(status: BootStatus) -> None:
    write_line(f"Automatic rollback: {status.protocol}")
    for word, one in (("Default", status.default), ("Fallback", status.fallback)):
        if one is None:
            write_line(f"{word}: none")
            continue
        remark = status.remark(one)
        running = ", running" if one.booted else ""
        write_line(f"{word}: {one.stateroot} {one.name}{running}{f' ({remark})' if remark else ''}")
    if status.pick in tuple(Why):
        write_line(f"Started: {_PICKS[Why(status.pick)]}")
    last = status.ledger.last
    if last is not None:
        when = f" on {format_utc(last.time)}" if last.time else ""
        write_line(f"Last rollback: {last.checksum}{when}: {last.describe()}")
    for line in status.damage:
        write_line(f"Damage: {line}")
