# SPDX-License-Identifier: Apache-2.0
"""How pushes to a bucket and prunes of it keep out of each other's way: nothing locks there.

::

    state/push-<random>     a push is under way
    state/prune-<random>    a prune is

Each writes its own mark first, and only then looks for marks of the other kind: of two that begin
at the same instant, one at least sees the other. A mark is written again every two minutes, by a
thread of its own, however long one request takes; one that is too old is that of somebody who was
killed. Who could not write for so long, as on a machine that was asleep, takes no further step:
others may have passed meanwhile.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ostrya.repo.errors import BucketBusy, BucketError
from ostrya.repo.packing import Packed

if TYPE_CHECKING:
    from ostrya.repo.stores.bucket import BucketFile, BucketStore

FOLDER = "state"
PUSH, PRUNE = "push", "prune"
STALE_S = 15 * 60
_REFRESH_S = 120


class Mark:
    """The mark of one push or prune."""

    __slots__ = ("_keeper", "_kind", "_over", "_path", "_store", "_written")

    def __init__(self, store: BucketStore, kind: str) -> None:
        self._store = store
        self._kind = kind
        self._path = f"{FOLDER}/{kind}-{os.urandom(8).hex()}"
        self._written = 0.0
        self._over = threading.Event()
        self._keeper: threading.Thread | None = None

    def set(self, *, stale_s: float = STALE_S) -> None:
        """Write it, and look for those that it does not go together with; then keep it fresh.

        Args:
            stale_s: How old a mark is whose owner is no more.

        Raises:
            BucketBusy: There is one; ours is gone again.
        """
        self._write()
        other = PRUNE if self._kind == PUSH else PUSH
        # By the bucket's own clock: what it says of the mark that was just written.
        marks = list(self._store.scan(FOLDER))
        now = next((mark.modified for mark in marks if mark.path == self._path), datetime.now(UTC))
        others = [mark for mark in marks if mark.path.startswith(f"{FOLDER}/{other}-")]
        for mark in others:
            if now - mark.modified < timedelta(seconds=stale_s):
                self.remove()
                raise _busy(self._store, other, mark)
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def require_fresh(self) -> None:
        """Be called before a step that relies on nobody having passed.

        Raises:
            BucketBusy: It was not written for so long that others take it for a leftover.
        """
        if _now() - self._written > STALE_S - _REFRESH_S:
            raise _missed(self._store, self._kind)

    def remove(self) -> None:
        """Delete it."""
        self._over.set()
        if self._keeper is not None:
            # Else it might be written once more.
            self._keeper.join()
        self._store.delete(self._path)

    def _keep(self) -> None:
        while not self._over.wait(_REFRESH_S):
            # Whoever relies on it notices by its age.
            with suppress(BucketError):
                self._write()

    def _write(self) -> None:
        begun = _now()
        self._store.put(self._path, Packed(b""))
        self._written = begun


def _now() -> float:
    """Return seconds that also pass while the machine is asleep."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _missed(store: BucketStore, kind: str) -> BucketBusy:
    other = PRUNE if kind == PUSH else PUSH
    return BucketBusy(
        f"this {kind} could not tell {store.shown} that it goes on, so a {other} may have run",
        hint=f"{kind} again: that looks once more at what is there",
    )


def _busy(store: BucketStore, kind: str, mark: BucketFile) -> BucketBusy:
    return BucketBusy(
        f"a {kind} of {store.shown} is under way since {mark.modified:%Y-%m-%d %H:%M:%SZ}",
        hint=f"wait for its end; if it was killed, delete {store.shown}/{mark.path}",
    )
