# SPDX-License-Identifier: Apache-2.0
"""Which repository a verb works on.

The one that is named; else the current directory if it looks like one; else ``OSTREE_REPO``;
else the one of the sysroot ``OSTREE_SYSROOT``; else the one of the running system.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.repo.runtime import DEFAULT_RUNTIME, Runtime

if TYPE_CHECKING:
    from ostrya._linux.flock import LockHolder
    from ostrya.cli.environment import Environment

SYSTEM_REPO = "/sysroot/ostree/repo"
REPO_IN_SYSROOT = "ostree/repo"


def default_repo_path(variable: str, sysroot: str = "") -> str | None:
    """Return the absolute path of the repository to use when none is named.

    Args:
        variable: The value of ``OSTREE_REPO``; empty where not set.
        sysroot: That of ``OSTREE_SYSROOT``.

    Returns:
        None when there is no repository at the place where the search ended.
    """
    if os.path.isdir("objects") and os.path.isfile("config"):
        return os.path.realpath(".")
    of_system = os.path.join(sysroot, REPO_IN_SYSROOT) if sysroot else SYSTEM_REPO
    path = os.path.abspath(variable or of_system)
    return path if os.path.isdir(path) else None


def named_path(path: str, what: str) -> str:
    """Return the absolute path of what the user named.

    Raises:
        UsageError: The path is empty, as that of a variable that is not set.
    """
    if not path:
        # It would mean the current directory, which nobody has named.
        raise UsageError(f"The path of {what} is empty")
    return os.path.abspath(path)


def root_of_system(sysroot: str) -> str | None:
    """Return where the system of a sysroot has its ``/etc``; None for one that is only a disk.

    A deployment, the running one for instance, has a ``sysroot`` of its own; a disk with
    deployments on it has none.
    """
    return sysroot if os.path.exists(os.path.join(sysroot, "sysroot")) else None


def make_runtime(environment: Environment) -> Runtime:
    """Return what a repository is told of its surroundings."""
    return Runtime(
        boot_id=environment.boot_id or None,
        use_cache=not environment.skip_cache,
        fail_before_commit=environment.test_error == "pre-commit",
        fail_on_stale_summary=environment.test_error == "invalid-cache",
        write_split_xattrs=environment.write_split_xattrs,
        dummy_signatures=environment.dummy_signatures,
        gpg_home=DEFAULT_RUNTIME.gpg_home if environment.gpg_home is None else environment.gpg_home,
        on_lock_wait=_say_who_holds_the_lock,
    )


def _say_who_holds_the_lock(holders: list[LockHolder]) -> None:
    from ostrya.cli.output import write_message

    who = "; ".join(map(str, holders)) or "another process"
    write_message(f"Waiting for the repository's lock, held by {who}")
