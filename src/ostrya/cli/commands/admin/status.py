# SPDX-License-Identifier: Apache-2.0
"""``admin status``: list deployments, the one that is booted next first; * marks the running one.

With --verify, signatures of each commit are verified as its remote demands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.kernel_line import running_kargs
from ostrya.cli.options import flag
from ostrya.cli.output import write, write_json, write_line
from ostrya.cli.sysroot_lookup import reading_sysroot
from ostrya.errors import SysrootError
from ostrya.sysroot.boot_status import read_boot_status
from ostrya.sysroot.deployment import Unlocked
from ostrya.sysroot.staged import failure_reason
from ostrya.sysroot.status import DeploymentStatus, read_status

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.sysroot.sysroot import Sysroot

PARAMETERS = ""
OPTIONS = (
    flag("verify", "Verify signatures, and say who signed", short="V"),
    flag("json", "Print JSON", short="J"),
    flag("skip-signatures", "Leave signatures out", short="S"),
    flag("is-default", "Print whether the default deployment is running", short="D"),
)


def run(arguments: Arguments, context: Context) -> int:
    """List them."""
    with reading_sysroot(arguments, context.environment) as (sysroot, loaded):
        if arguments.flag("is-default"):
            if not loaded.all:
                raise SysrootError("Not in a booted OSTree system")
            write_line("default" if loaded.all[0].booted else "not-default")
            return 0
        shown = read_status(sysroot, loaded)
        boot = read_boot_status(sysroot, loaded, running_kargs(sysroot))
        if arguments.flag("json"):
            more = {"finalize_failure": failure_reason(sysroot)}
            rollback = {} if boot is None else {"rollback": boot.as_json()}
            write_json({**_as_json(shown), **more, **rollback})
        elif not shown:
            write_line("No deployments.")
        else:
            for one in shown:
                remark = "" if boot is None else boot.remark(one.deployment)
                _print(sysroot, one, remark, arguments)
            reason = failure_reason(sysroot)
            if reason is not None:
                write_line(f"The last staged deployment was not finalized: {reason}")
            for line in () if boot is None else boot.damage:
                write_line(f"Damage: {line}")
    return 0


def _as_json(shown: list[DeploymentStatus]) -> dict[str, object]:
    boots = (str(one.deployment.name) for one in shown if one.next_boot)
    next_boot = next(boots, None)
    return {"deployments": [one.as_json() for one in shown], "next_boot": next_boot}


def _print(sysroot: Sysroot, shown: DeploymentStatus, remark: str, arguments: Arguments) -> None:
    one = shown.deployment
    marks = "".join(
        f" ({mark})" for mark in (shown.mark, "soft-reboot" if one.soft_reboot else "") if mark
    )
    write_line(f"{'*' if one.booted else ' '} {one.stateroot} {one.name}{marks}")
    if remark:
        write_line(f"    Trial: {remark}")
    if shown.version is not None:
        write_line(f"    Version: {shown.version}")
    if one.unlocked is not Unlocked.NONE:
        write_line(f"    Unlocked: {one.unlocked.value}")
    if one.pinned:
        write_line("    Pinned: yes")
    if one.origin is None:
        write_line("    origin: none")
    elif shown.refspec is None:
        write_line("    origin: <unknown origin type>")
    else:
        write_line(f"    origin refspec: {shown.refspec}")
    if one.origin is not None and shown.source_title is not None:
        write_line(f"    `- {shown.source_title}")
    if arguments.flag("verify"):
        write_line(_verify(sysroot, shown))
    elif not arguments.flag("skip-signatures"):
        _print_signatures(sysroot, shown)


def _verify(sysroot: Sysroot, shown: DeploymentStatus) -> str:
    from ostrya.cli.signing import use_local_dates
    from ostrya.sysroot.verify import verify_deployment

    use_local_dates()
    return verify_deployment(sysroot, shown.deployment)


def _print_signatures(sysroot: Sysroot, shown: DeploymentStatus) -> None:
    if shown.refspec is None or ":" not in shown.refspec:
        return
    from ostrya.sysroot.verify import deployment_signatures

    signatures = deployment_signatures(sysroot, shown.deployment, shown.at)
    if signatures:
        from ostrya.cli.signing import use_local_dates
        from ostrya.sign.gpg_text import describe_signature

        use_local_dates()
        write("".join(describe_signature(one, "    GPG: ") for one in signatures))
