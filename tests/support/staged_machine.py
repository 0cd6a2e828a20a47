# SPDX-License-Identifier: Apache-2.0
"""Run by itself: stage or finalize a deployment on a sysroot whose running system is made up.

::

    staged_machine.py SYSROOT STATE RUNNING stage REF
    staged_machine.py SYSROOT STATE RUNNING append-karg NAME=VALUE
    staged_machine.py SYSROOT STATE RUNNING finalize

STATE stands in for ``/run`` and the like; RUNNING is the path of the running deployment, relative
to SYSROOT.
"""

from __future__ import annotations

import os
import sys

from ostrya.errors import OstryaError
from ostrya.repo.refs import require_rev
from ostrya.sysroot.change import set_kargs
from ostrya.sysroot.deploy import DeployWish
from ostrya.sysroot.loading import load_sysroot
from ostrya.sysroot.lock import sysroot_lock
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.stage import finalize_staged, stage_deployment
from ostrya.sysroot.sysroot import Running, Sysroot, SysrootOptions


def main(root: str, state: str, running: str, verb: str, ref: str = "") -> None:
    """Do one of them."""
    found = os.stat(f"{root}/{running}")
    where = Running((found.st_dev, found.st_ino), f"{state}/run", f"{state}/usr", f"{state}/var")
    options = SysrootOptions(mutable_deployments=True)
    with Sysroot(root, where, options=options) as sysroot, sysroot_lock(sysroot):
        loaded = load_sysroot(sysroot)
        if verb == "finalize":
            finalize_staged(sysroot, loaded)
            return
        if verb == "append-karg":
            # Of the next boot.
            set_kargs(sysroot, loaded, lambda at, old: old if at else old.append(ref))
            return
        wish = DeployWish("test", require_rev(sysroot.repo, ref), Origin.following(ref))
        stage_deployment(sysroot, loaded, wish, loaded.booted)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OstryaError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {error.filename}: {error.strerror}")
