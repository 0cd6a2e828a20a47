# SPDX-License-Identifier: Apache-2.0
"""The repository's lock: shared by writers, exclusive for whoever deletes.

The lock is the file ``.lock`` in the repository, locked the way libostree locks it, so that
both keep out of each other's way. It is counted: taking it again in the same process does not
wait, and an exclusive lock stays exclusive until its last holder lets go.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ostrya.repo.errors import RepoLocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya._linux.flock import LockHolder

WAIT_FOREVER = -1
NO_LOCKING = -2
_TELL_AFTER_S = 1.0
_MAX_PAUSE_S = 0.25


class RepoLock:
    """The lock of one open repository."""

    __slots__ = ("_dir_fd", "_exclusive", "_fd", "_on_wait", "_shared", "_timeout_s")

    def __init__(
        self,
        dir_fd: int,
        timeout_s: int,
        on_wait: Callable[[list[LockHolder]], None] | None = None,
    ) -> None:
        """Prepare to lock.

        Args:
            dir_fd: The repository.
            timeout_s: How long to wait; WAIT_FOREVER, or NO_LOCKING to leave the lock alone.
            on_wait: Told once who holds the lock when waiting takes longer than a second.
        """
        self._dir_fd = dir_fd
        self._timeout_s = timeout_s
        self._on_wait = on_wait
        self._fd = -1
        self._shared = 0
        self._exclusive = 0

    @contextmanager
    def hold(self, *, exclusive: bool) -> Iterator[None]:
        """Hold the lock for a ``with`` block."""
        self.push(exclusive=exclusive)
        try:
            yield
        finally:
            self.pop(exclusive=exclusive)

    def push(self, *, exclusive: bool) -> None:
        """Take the lock, waiting for it as long as configured.

        Raises:
            RepoLocked: It was not free in time; the hint names its holders.
        """
        if self._timeout_s == NO_LOCKING:
            return
        upgrades = not self._exclusive if exclusive else not (self._shared or self._exclusive)
        if upgrades:
            self._acquire(exclusive=exclusive)
        if exclusive:
            self._exclusive += 1
        else:
            self._shared += 1

    def pop(self, *, exclusive: bool) -> None:
        """Let go of the lock once."""
        if self._timeout_s == NO_LOCKING:
            return
        from ostrya._linux import flock

        if exclusive:
            self._exclusive -= 1
        else:
            self._shared -= 1
        if not self._shared and not self._exclusive:
            flock.unlock(self._fd)
        elif exclusive and not self._exclusive:
            flock.try_lock(self._fd, exclusive=False)

    def _acquire(self, *, exclusive: bool) -> None:
        from ostrya._linux import flock

        if self._fd == -1:
            flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
            self._fd = os.open(".lock", flags, 0o644, dir_fd=self._dir_fd)
        started = time.monotonic()
        pause_s = 0.01
        told = False
        while not flock.try_lock(self._fd, exclusive=exclusive):
            waited_s = time.monotonic() - started
            if 0 <= self._timeout_s <= waited_s:
                raise self._refusal(exclusive=exclusive)
            if waited_s > _TELL_AFTER_S and not told and self._on_wait is not None:
                told = True
                self._on_wait(flock.find_holders(self._fd))
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _MAX_PAUSE_S)

    def _refusal(self, *, exclusive: bool) -> RepoLocked:
        from ostrya._linux import flock

        holders = "; ".join(str(holder) for holder in flock.find_holders(self._fd))
        kind = "exclusive" if exclusive else "shared"
        return RepoLocked(
            f"Locking repo {kind} failed: Resource temporarily unavailable",
            hint=f"the lock is held by {holders}" if holders else "another user holds the lock",
        )

    def close(self) -> None:
        """Close the lock file; every hold of it is lost."""
        if self._fd != -1:
            os.close(self._fd)
            self._fd = -1
