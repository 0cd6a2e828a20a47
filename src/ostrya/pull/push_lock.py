# SPDX-License-Identifier: Apache-2.0
"""A lock between pushers that works wherever a file can be made only once: disks, and sftp.

``.push-lock`` is there while a ref or the summary is compared and replaced, milliseconds as a rule.
Whoever holds it makes its file young again and again. Whoever is killed meanwhile leaves it behind;
after ``STALE_S`` seconds it is taken away. Its content tells whose it is: who was asleep so long
that others took theirs away notices that before the last step, or at the latest after it.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from ostrya.errors import OstryaError
from ostrya.pull.errors import PushLockLost
from ostrya.repo.errors import RepoLocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOCK_NAME = ".push-lock"
STALE_S = 20.0
WAIT_S = 120.0
MAX_WORD_BYTES = 256
"""A word is not longer."""
_MAX_PAUSE_S = 0.5
# While somebody looks whether a lock is stale, it is not in its place.
_LOOKS = 5
_LOOK_PAUSE_S = 0.1


class LockFile(Protocol):
    """A lock's file, held open by whoever made it."""

    def refresh(self) -> None:
        """Make it young, whatever it is called by now."""

    def close(self) -> None:
        """Let go of it."""


class LockPlace(Protocol):
    """Where the lock's file is made."""

    def create_lock(self, name: str, word: str) -> LockFile | None:
        """Make a file that holds a word; None if there is one of that name."""

    def read_lock(self, name: str) -> str | None:
        """Return the word in a file; None if it is gone."""

    def lock_age_s(self, name: str) -> float | None:
        """Return how old a file is, by the clock that its place goes by; None if it is gone."""

    def move_lock(self, name: str, new_name: str) -> bool:
        """Rename a file, to a name that nothing has; False if it is gone or that is taken."""

    def delete_lock(self, name: str) -> None:
        """Delete a file, if it is there."""


@contextmanager
def push_lock(
    place: LockPlace, shown: str, unique: str, *, stale_s: float = STALE_S, wait_s: float = WAIT_S
) -> Iterator[Callable[[], None]]:
    """Hold the lock for a ``with`` block.

    Args:
        place: Where it is.
        shown: The target, for messages.
        unique: A word that no other pusher uses.
        stale_s: How old a lock is that nobody holds any more.
        wait_s: How long to wait.

    Returns:
        What to call before a step that cannot be taken back; raises ``PushLockLost``.

    Raises:
        RepoLocked: Somebody holds it too long.
        PushLockLost: Others have taken it away from us.
    """
    file = _acquire(place, shown, unique, stale_s, wait_s)

    def require_held() -> None:
        if not _is_ours(place, unique):
            raise PushLockLost(shown, stale_s)

    try:
        with _kept_young(file, stale_s / 5):
            yield require_held
    except BaseException:
        # The first error says more than one that follows from it.
        with suppress(OSError, OstryaError):
            if _is_ours(place, unique):
                place.delete_lock(LOCK_NAME)
        raise
    else:
        require_held()
        place.delete_lock(LOCK_NAME)
    finally:
        file.close()


def _acquire(place: LockPlace, shown: str, unique: str, stale_s: float, wait_s: float) -> LockFile:
    deadline = time.monotonic() + wait_s
    pause_s = 0.01
    while (file := place.create_lock(LOCK_NAME, unique)) is None:
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
    return file


def _is_ours(place: LockPlace, unique: str) -> bool:
    for _ in range(_LOOKS):
        word = place.read_lock(LOCK_NAME)
        if word is not None:
            return word == unique
        time.sleep(_LOOK_PAUSE_S)
    return False


@contextmanager
def _kept_young(file: LockFile, interval_s: float) -> Iterator[None]:
    """Refresh a lock's file for a ``with`` block."""
    over = threading.Event()

    def refresh() -> None:
        while not over.wait(interval_s):
            try:
                file.refresh()
            except (OSError, OstryaError):
                # Whoever holds the lock finds out what became of it.
                return

    thread = threading.Thread(target=refresh, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _take_away(place: LockPlace, aside: str, stale_s: float) -> None:
    """Remove a stale lock; one that somebody has just made in its place is given back."""
    if not place.move_lock(LOCK_NAME, aside):
        return
    age_s = place.lock_age_s(aside)
    if age_s is None or age_s > stale_s or not place.move_lock(aside, LOCK_NAME):
        place.delete_lock(aside)
