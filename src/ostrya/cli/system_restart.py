# SPDX-License-Identifier: Apache-2.0
"""``--reboot`` and ``--kexec`` of the verbs that make a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.process import run

if TYPE_CHECKING:
    from ostrya.cli.parser import Arguments
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot


def load_if_wanted(arguments: Arguments, sysroot: Sysroot, loaded: Loaded) -> None:
    """Load the kernel of the default deployment, if ``--kexec`` says so.

    Raises:
        BootloaderError: It cannot be loaded.
    """
    if arguments.flag("kexec"):
        from ostrya.sysroot.kexec import load_for_kexec

        load_for_kexec(sysroot, loaded.deployments[0])


def restart_if_wanted(arguments: Arguments, loaded: Loaded) -> None:
    """Restart the machine if ``--reboot`` says so and it runs one of the deployments.

    Raises:
        CommandFailed: It cannot be restarted.
    """
    # A script that builds an image may say it by mistake; that machine is not the one meant.
    if arguments.flag("reboot") and loaded.booted is not None:
        run(["systemctl", "reboot"])
