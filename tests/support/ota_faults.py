# SPDX-License-Identifier: Apache-2.0
"""A device that is killed, or whose disk fails, at a change of its database or at a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ostrya.uptane.client.storage import Storage


class Killed(BaseException):
    """The process is gone."""


class Faults:
    """Counts the moments at which something may happen, and lets it happen at one of them.

    Attributes:
        moments: All moments so far, in words.
    """

    def __init__(self, at: int | None = None, error: Callable[[], BaseException] = Killed) -> None:
        self.moments: list[str] = []
        self._at = at
        self._error = error

    def moment(self, what: str) -> None:
        self.moments.append(what)
        if len(self.moments) - 1 == self._at:
            raise self._error()

    def wrap(self, storage: Storage) -> Storage:
        """Let a database have such moments, before and after each change."""
        return _FaultyStorage(storage, self)


class _FaultyStorage(Storage):
    def __init__(self, storage: Storage, faults: Faults) -> None:
        super().__init__(storage.path, storage._connection)
        self._faults = faults

    @contextmanager
    def transaction(self) -> Iterator:
        self._faults.moment("before a change")
        with super().transaction() as connection:
            yield connection
            self._faults.moment("in a change")
        self._faults.moment("after a change")
