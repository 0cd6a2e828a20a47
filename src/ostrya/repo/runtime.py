# SPDX-License-Identifier: Apache-2.0
"""What the surroundings of a repository say: the environment is read at the front door only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya._linux.flock import LockHolder


class Runtime(NamedTuple):
    """What the surroundings say, as opposed to the repository's own configuration.

    Attributes:
        boot_id: Names staging directories; by default the running kernel's.
        use_cache: Whether ``tmp/cache`` is made and used.
        fail_before_commit: For tests: every transaction fails just before its commit.
        fail_on_stale_summary: For tests: a kept summary that no longer verifies is an error.
        write_split_xattrs: Whether writing to a ``bare-split-xattrs`` repository is allowed.
        dummy_signatures: For tests: signatures that prove nothing are allowed.
        gpg_home: The directory of OpenPGP keyrings that are trusted for all remotes without one
            of their own.
        system_root: Where the running system, or a deployment, is: the repository in its
            ``ostree/repo`` has remotes in its ``etc/ostree/remotes.d`` too. None for nowhere.
        on_lock_wait: Told who holds the lock when waiting for it takes long.
    """

    boot_id: str | None = None
    use_cache: bool = True
    fail_before_commit: bool = False
    fail_on_stale_summary: bool = False
    write_split_xattrs: bool = False
    dummy_signatures: bool = False
    gpg_home: str = "/usr/share/ostree/trusted.gpg.d"
    system_root: str | None = "/"
    on_lock_wait: Callable[[list[LockHolder]], None] | None = None


DEFAULT_RUNTIME = Runtime()
