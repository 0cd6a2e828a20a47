# SPDX-License-Identifier: Apache-2.0
"""Which sysroot a verb works on, and how: read, or locked and changed.

The one that is named with ``--sysroot``; else ``OSTREE_SYSROOT``; else the running system.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ostrya.cli.output import write_line, write_message
from ostrya.cli.repo_lookup import make_runtime, root_of_system
from ostrya.errors import SysrootError
from ostrya.named_tuple import NamedTuple
from ostrya.sysroot.loading import Loaded, load_sysroot
from ostrya.sysroot.lock import sysroot_lock
from ostrya.sysroot.running import find_running, make_writable
from ostrya.sysroot.sysroot import Sysroot, SysrootOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya._linux.flock import LockHolder
    from ostrya.cli.environment import Environment
    from ostrya.cli.parser import Arguments


class Opened(NamedTuple):
    """A sysroot, and what it has.

    Attributes:
        sysroot: Open.
        loaded: What it had when it was opened.
    """

    sysroot: Sysroot
    loaded: Loaded


@contextmanager
def reading_sysroot(arguments: Arguments, environment: Environment) -> Iterator[Opened]:
    """Open a sysroot to look at it."""
    with _open(arguments, environment) as sysroot:
        yield Opened(sysroot, load_sysroot(sysroot))


@contextmanager
def changing_sysroot(arguments: Arguments, environment: Environment) -> Iterator[Opened]:
    """Open a sysroot to change it, alone.

    Raises:
        SysrootError: It is the running system's, and we are not its administrator.
    """
    if find_running(sysroot_path(arguments, environment)).root is not None and os.geteuid() == 0:
        make_writable()
    with _open(arguments, environment) as sysroot, sysroot_lock(sysroot, _say_who_holds_the_lock):
        loaded = load_sysroot(sysroot)
        if loaded.booted is not None and os.geteuid() != 0:
            raise SysrootError("You must be root to perform this command")
        yield Opened(sysroot, loaded)


def print_current_dir(arguments: Arguments, environment: Environment) -> int:
    """Print the directory of the default deployment.

    Raises:
        SysrootError: There is none.
    """
    with reading_sysroot(arguments, environment) as (sysroot, loaded):
        if not loaded.all:
            raise SysrootError("Unable to find a deployment in sysroot")
        write_line(os.path.join(os.path.abspath(sysroot.path), loaded.all[0].path))
    return 0


def sysroot_path(arguments: Arguments, environment: Environment) -> str:
    """Return the directory of the sysroot that a verb works on."""
    return os.path.abspath(arguments.text("sysroot") or environment.sysroot or "/")


def _open(arguments: Arguments, environment: Environment) -> Sysroot:
    path = sysroot_path(arguments, environment)
    runtime = make_runtime(environment)._replace(system_root=root_of_system(path))
    prints_json = arguments.has("json") and arguments.flag("json")
    return Sysroot(
        path,
        find_running(path),
        options=sysroot_options(environment),
        runtime=runtime,
        # Standard output is for what was asked for alone.
        tell=write_message if prints_json else write_line,
    )


def sysroot_options(environment: Environment) -> SysrootOptions:
    """Return what the environment wants otherwise."""
    debug, words = environment.sysroot_debug, environment.sysroot_options
    return SysrootOptions(
        mutable_deployments="mutable-deployments" in debug,
        with_xattrs="no-xattrs" not in debug,
        with_devicetrees="no-dtb" not in debug,
        skip_sync="skip-sync" in words,
        early_prune=False if "no-early-prune" in words else None,
        old_entry_names="bootloader-naming-1" in words,
        environ=environment.loader_variables,
        test_freeze="test-fifreeze" in debug,
    )


def _say_who_holds_the_lock(holders: list[LockHolder]) -> None:
    write_line("Waiting for sysroot lock...")
    if holders:
        write_message(f"it is held by {'; '.join(map(str, holders))}")
