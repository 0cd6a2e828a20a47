# SPDX-License-Identifier: Apache-2.0
"""The lock of a sysroot: one command changes deployments at a time.

It is the file ``ostree/lock``, locked and, when it is let go, deleted the way libostree does, so
that both keep out of each other's way.

Source: libglnx (glnx_make_lock_file).
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ostrya._linux import flock
from ostrya._linux.dirfd import unlink_if_exists
from ostrya._linux.naming import Below
from ostrya.errors import SysrootError
from ostrya.sysroot import paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya._linux.flock import LockHolder
    from ostrya.sysroot.sysroot import Sysroot

_MAX_PAUSE_S = 0.25


@contextmanager
def sysroot_lock(
    sysroot: Sysroot, on_wait: Callable[[list[LockHolder]], None] = lambda _holders: None
) -> Iterator[None]:
    """Hold the lock, waiting for it however long it takes.

    Args:
        sysroot: Which one.
        on_wait: Told once who holds it, if somebody does.

    Raises:
        SysrootError: It is no sysroot.
        OSError: It cannot be locked.
    """
    with Below(sysroot.path):
        try:
            fd = _acquire(sysroot.dir_fd, on_wait)
        except FileNotFoundError as exc:
            folder = paths.LOCK.partition("/")[0]
            raise SysrootError(
                f"{sysroot.path} is no sysroot: it has no directory '{folder}'",
                hint="make it one with `ostrya admin init-fs`, or name another with --sysroot",
            ) from exc
    try:
        yield
    finally:
        unlink_if_exists(paths.LOCK, dir_fd=sysroot.dir_fd)
        os.close(fd)


def _acquire(dir_fd: int, on_wait: Callable[[list[LockHolder]], None]) -> int:
    pause_s = 0.01
    told = False
    while True:
        flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY
        fd = os.open(paths.LOCK, flags, 0o600, dir_fd=dir_fd)
        try:
            # Whoever had it has deleted it: then it is a lock on nothing.
            if flock.try_lock(fd, exclusive=True) and os.fstat(fd).st_nlink > 0:
                found, fd = fd, -1
                return found
            if not told and (holders := flock.find_holders(fd)):
                told = True
                on_wait(holders)
        finally:
            if fd != -1:
                os.close(fd)
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _MAX_PAUSE_S)
