# SPDX-License-Identifier: Apache-2.0
"""How pushes to a bucket and prunes of it keep out of each other's way: nothing locks there.

::

    state/push-<random>     a push is under way
    state/prune-<random>    a prune is

Each writes its own mark first, and only then looks for marks of the other kind: of two that begin
at the same instant, one at least sees the other. A mark is written again now and then; one that is
too old is that of somebody who was killed.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ostrya.repo.errors import BucketBusy
from ostrya.repo.packing import Packed

if TYPE_CHECKING:
    from ostrya.repo.stores.bucket import BucketFile, BucketStore

FOLDER = "state"
PUSH, PRUNE = "push", "prune"
STALE_S = 15 * 60
_REFRESH_S = 120


class Mark:
    """The mark of one push or prune."""

    __slots__ = ("_kind", "_path", "_store", "_written")

    def __init__(self, store: BucketStore, kind: str) -> None:
        self._store = store
        self._kind = kind
        self._path = f"{FOLDER}/{kind}-{os.urandom(8).hex()}"
        self._written = 0.0

    def set(self, *, stale_s: float = STALE_S) -> None:
        """Write it, and look for those that it does not go together with.

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

    def keep(self) -> None:
        """Write it again if it is time to."""
        if time.monotonic() - self._written > _REFRESH_S:
            self._write()

    def remove(self) -> None:
        """Delete it."""
        self._store.delete(self._path)

    def _write(self) -> None:
        self._store.put(self._path, Packed(b""))
        self._written = time.monotonic()


def _busy(store: BucketStore, kind: str, mark: BucketFile) -> BucketBusy:
    return BucketBusy(
        f"a {kind} of {store.shown} is under way since {mark.modified:%Y-%m-%d %H:%M:%SZ}",
        hint=f"wait for its end; if it was killed, delete {store.shown}/{mark.path}",
    )
