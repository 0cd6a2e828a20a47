# SPDX-License-Identifier: Apache-2.0
"""``admin unlock``: make ``/usr`` of the running deployment writable.

What is changed there is gone after the next start, unless --hotfix keeps it; then a deployment as
it was before is put behind the running one, to fall back to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag
from ostrya.cli.output import write
from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.errors import SysrootError
from ostrya.sysroot.deployment import Unlocked
from ostrya.sysroot.unlock import unlock

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (
    flag("hotfix", "Keep changes over starts"),
    flag("transient", "Mount it read-only: whoever writes mounts it otherwise for themselves"),
)
_SAID = {
    Unlocked.DEVELOPMENT: (
        "Development mode enabled.  A writable overlayfs is now mounted on /usr.\n"
        "All changes there will be discarded on reboot.\n"
    ),
    Unlocked.HOTFIX: (
        "Hotfix mode enabled.  A writable overlayfs is now mounted on /usr\n"
        "for this booted deployment.  A non-hotfixed clone has been created\n"
        "as the non-default rollback target.\n"
    ),
    Unlocked.TRANSIENT: (
        "A writable overlayfs is prepared for /usr, but is mounted read-only by default.\n"
        "All changes there will be discarded on reboot.\n"
    ),
}


def run(arguments: Arguments, context: Context) -> int:
    """Unlock it."""
    if arguments.positionals:
        raise context.usage_error("This command takes no extra arguments")
    how = Unlocked.DEVELOPMENT
    if arguments.flag("hotfix"):
        if arguments.flag("transient"):
            raise SysrootError("Cannot specify both --hotfix and --transient")
        how = Unlocked.HOTFIX
    elif arguments.flag("transient"):
        how = Unlocked.TRANSIENT
    with changing_sysroot(arguments, context.environment) as (sysroot, loaded):
        unlock(sysroot, loaded, how)
    write(_SAID[how])
    return 0
