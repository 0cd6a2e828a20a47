# SPDX-License-Identifier: Apache-2.0
"""``admin upgrade``: pull the newest commit of what is followed, and deploy it.

With --check nothing is deployed: it is said what would be fetched, whether there is room for it,
what becomes of changed files in /etc, and which deployments go. The exit status is 1 then if
something stands in the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.options import flag, text
from ostrya.cli.output import write_json, write_line, write_message
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.cli.system_restart import load_if_wanted, restart_if_wanted
from ostrya.cli.version import FOLLOWED_VERSION
from ostrya.errors import OstryaError
from ostrya.formats.checksum import check_checksum
from ostrya.pull.network import NetworkOptions
from ostrya.sysroot.admission import require_admissible
from ostrya.sysroot.cleanup import clean_up
from ostrya.sysroot.stage import require_running
from ostrya.sysroot.upgrade import (
    FetchHow,
    Target,
    Upgrade,
    deploy_upgrade,
    fetch_upgrade,
    find_target,
)

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot

PARAMETERS = ""
OPTIONS = (
    text("os", "STATEROOT", "The system; default: the running one"),
    text("stateroot", "STATEROOT", "The same"),
    flag("reboot", "Restart the machine after that", short="r"),
    flag("kexec", "Load the new kernel, so that the restart leaves the firmware out", short="k"),
    flag("allow-downgrade", "Take commits that are older than the one deployed"),
    text("override-commit", "CHECKSUM", "Take this commit instead of the newest, and stay there"),
    flag("pull-only", "Deploy nothing"),
    flag("deploy-only", "Pull nothing: deploy what was pulled before"),
    flag("stage", "Let it become the default when the machine is shut down"),
    flag("check", "Say what would happen"),
    flag("retry-failed", "Take a release that was rolled back on this device"),
    flag("early-prune", "Where /boot is too small for both, let the rollback go first"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Upgrade, or say what that would be."""
    _check_options(arguments)
    named = arguments.text("stateroot") or arguments.text("os")
    override = arguments.text("override-commit")
    how = FetchHow(
        pulls=not arguments.flag("deploy-only"),
        allow_downgrade=arguments.flag("allow-downgrade"),
        checks_etc=not arguments.flag("pull-only"),
        network=NetworkOptions(user_agent=f"libostree/{FOLLOWED_VERSION}"),
    )
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        wanted = None if override is None else check_checksum(override)
        target = find_target(loaded, named, override=wanted)
        if arguments.flag("check"):
            return _preflight(arguments, context, (sysroot, loaded, target), how)
        is_new = _upgrade(arguments, context, (sysroot, loaded, target), how)
    if is_new:
        restart_if_wanted(arguments, loaded)
    return 0


def _check_options(arguments: Arguments) -> None:
    if arguments.flag("pull-only"):
        if arguments.flag("deploy-only"):
            raise UsageError("Cannot simultaneously specify --pull-only and --deploy-only")
        if arguments.flag("reboot") or arguments.flag("kexec"):
            raise UsageError("Cannot simultaneously specify --pull-only and --reboot or --kexec")
    if arguments.flag("stage") and arguments.flag("kexec"):
        raise UsageError(
            "Cannot simultaneously specify --stage and --kexec",
            hint="a staged deployment has no boot entry before the machine is shut down",
        )


def _upgrade(
    arguments: Arguments,
    context: Context,
    begun: tuple[Sysroot, Loaded, Target],
    how: FetchHow,
) -> bool:
    sysroot, loaded, target = begun
    progress = context.progress()
    if arguments.flag("stage") and not arguments.flag("pull-only"):
        # Before anything is pulled in vain.
        require_running(loaded)
    try:
        upgrade = fetch_upgrade(sysroot, target, how, progress=progress)
    except OstryaError:
        if arguments.flag("pull-only"):
            # Whoever pulls again and again is not to fill the disk with pieces.
            clean_up(sysroot, loaded)
        raise
    if upgrade.end_of_life is not None:
        write_message(f"{upgrade.target.refspec} has come to its end: {upgrade.end_of_life}")
    if upgrade.is_new and not arguments.flag("pull-only"):
        require_admissible(sysroot, loaded, upgrade.checksum, retry=arguments.flag("retry-failed"))
        loaded = deploy_upgrade(
            sysroot,
            loaded,
            upgrade,
            early_prune=arguments.flag("early-prune"),
            stage=arguments.flag("stage"),
            progress=progress,
        )
        load_if_wanted(arguments, sysroot, loaded)
    _print(context, upgrade)
    return upgrade.is_new


def _print(context: Context, upgrade: Upgrade) -> None:
    if context.json:
        write_json(
            {
                "is_new": upgrade.is_new,
                "checksum": upgrade.checksum,
                "refspec": upgrade.target.refspec,
                "end_of_life": upgrade.end_of_life,
            }
        )
    elif not upgrade.is_new:
        write_line("No update available.")


def _preflight(
    arguments: Arguments, context: Context, begun: tuple[Sysroot, Loaded, Target], how: FetchHow
) -> int:
    from ostrya.cli.preflight_text import print_preflight
    from ostrya.sysroot.deploy import DeployWish
    from ostrya.sysroot.preflight import Manner, check_upgrade, plan_deployment

    sysroot, loaded, target = begun
    target, outlook = check_upgrade(sysroot, target, how)
    wish = DeployWish(target.stateroot, outlook.commit, target.origin)
    early_prune, staged = arguments.flag("early-prune"), arguments.flag("stage")
    manner = Manner(early_prune=early_prune, staged=staged)
    found = plan_deployment(sysroot, loaded, wish, target.merge, manner=manner, outlook=outlook)
    return print_preflight(found, prints_json=context.json, is_upgrade=True)
