# SPDX-License-Identifier: Apache-2.0
"""A lock between pushers that works wherever a file can be made only once: disks, and sftp.

``.push-lock`` is there while a ref or the summary is compared and replaced, milliseconds as a rule.
Whoever is killed meanwhile leaves it behind; after ``STALE_S`` seconds it is taken away.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from ostrya.repo.errors import RepoLocked

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK_NAME = ".push-lock"
STALE_S = 20.0
WAIT_S = 120.0
_MAX_PAUSE_S = 0.5


class LockPlace(Protocol):
    """Where the lock's file is made."""

    def create_lock(self, name: str) -> bool:
        """Make a file; False if there is one of that name."""

    def lock_age_s(self, name: str) -> float | None:
        """Return how old a file is, by the clock that its place goes by; None if it is gone."""

    def move_lock(self, name: str, new_name: str) -> bool:
        """Rename a file, to a name that nothing has; False if it is gone or that is taken."""

    def delete_lock(self, name: str) -> None:
        """Delete a file, if it is there."""


@contextmanager
def push_lock(
    place: LockPlace, shown: str, unique: str, *, stale_s: float = STALE_S, wait_s: float = WAIT_S
) -> Iterator[None]:
    """Hold the lock for a ``with`` block.

    Args:
        place: Where it is.
        shown: The target, for messages.
        unique: A word that no other pusher uses.
        stale_s: How old a lock is that nobody holds any more.
        wait_s: How long to wait.

    Raises:
        RepoLocked: Somebody holds it too long.
    """
    deadline = time.monotonic() + wait_s
    pause_s = 0.01
    while not place.create_lock(LOCK_NAME):
        age_s = place.lock_age_s(LOCK_NAME)
        if age_s is not None and age_s > stale_s:
            _take_away(place, f"{LOCK_NAME}-{unique}", stale_s)
        elif time.monotonic() > deadline:
            raise RepoLocked(
                f"{shown} is locked by another push",
                hint=f"push again later; if no push is running, delete {LOCK_NAME} there",
            )
        else:
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _MAX_PAUSE_S)
    try:
        yield
    finally:
        place.delete_lock(LOCK_NAME)


def _take_away(place: LockPlace, aside: str, stale_s: float) -> None:
    """Remove a stale lock; one that somebody has just made in its place is given back."""
    if not place.move_lock(LOCK_NAME, aside):
        return
    age_s = place.lock_age_s(aside)
    if age_s is None or age_s > stale_s or not place.move_lock(aside, LOCK_NAME):
        place.delete_lock(aside)
