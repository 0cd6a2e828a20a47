# SPDX-License-Identifier: Apache-2.0
"""``admin switch``: follow another ref, and deploy it.

``REMOTE:`` stands for the same ref of another remote, a ref without a remote for one of the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag, text
from ostrya.cli.output import write_line
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.cli.system_restart import load_if_wanted, restart_if_wanted
from ostrya.cli.version import FOLLOWED_VERSION
from ostrya.pull.network import NetworkOptions
from ostrya.repo.ref_writer import write_ref
from ostrya.sysroot.admission import require_admissible
from ostrya.sysroot.upgrade import (
    FetchHow,
    deploy_upgrade,
    fetch_upgrade,
    find_target,
    switch_target,
)

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "REFSPEC"
OPTIONS = (
    flag("reboot", "Restart the machine after that", short="r"),
    flag("kexec", "Load the new kernel, so that the restart leaves the firmware out", short="k"),
    flag("retry-failed", "Take a release that was rolled back on this device"),
    text("os", "STATEROOT", "The system; default: the running one"),
    text("stateroot", "STATEROOT", "The same"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Switch."""
    if not arguments.positionals:
        raise context.usage_error("REFSPEC must be specified")
    named = arguments.text("stateroot") or arguments.text("os")
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        old = find_target(loaded, named, configured=False)
        target = switch_target(old, arguments.positionals[0])
        progress = context.progress()
        # What is on another ref has no age in common with this one.
        how = FetchHow(
            allow_downgrade=True,
            checks_etc=True,
            network=NetworkOptions(user_agent=f"libostree/{FOLLOWED_VERSION}"),
        )
        upgrade = fetch_upgrade(sysroot, target, how, progress=progress)
        require_admissible(sysroot, loaded, upgrade.checksum, retry=arguments.flag("retry-failed"))
        after = deploy_upgrade(sysroot, loaded, upgrade, progress=progress)
        load_if_wanted(arguments, sysroot, after)
        # The other one may have come to its end, and name the old one as what takes over.
        if upgrade.target.refspec != old.refspec:
            write_line(f"Deleting ref '{old.refspec}'")
            write_ref(sysroot.repo, *old.remote_ref, None)
    restart_if_wanted(arguments, loaded)
    return 0
