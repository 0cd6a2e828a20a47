# SPDX-License-Identifier: Apache-2.0
"""When to try again, where, and after how long. Pure: chance and time come from the caller."""

from __future__ import annotations

from enum import Enum

from ostrya.named_tuple import NamedTuple

_TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_OVERLOADED_STATUSES = frozenset({429, 503})


class RetryPolicy(NamedTuple):
    """How patient a fetcher is.

    Attributes:
        retries: How often a request is tried again; libostree's ``network-retries``.
        first_delay_s: The longest wait before the first retry; it doubles with each.
        max_delay_s: Which no wait exceeds, whatever a server asks for.
    """

    retries: int = 5
    first_delay_s: float = 0.2
    max_delay_s: float = 20.0

    def delay_s(self, failures: int, chance: float, asked_s: float = 0.0) -> float:
        """Return how long to wait after so many failures.

        Args:
            failures: At least one.
            chance: From 0 to 1: many clients must not come back at the same instant.
            asked_s: What the server asked for with ``Retry-After``.
        """
        longest = min(self.max_delay_s, self.first_delay_s * 2.0 ** min(failures - 1, 32))
        return min(self.max_delay_s, max(asked_s, longest * chance))


def is_transient(status: int) -> bool:
    """Say whether a server that answered this may answer otherwise in a moment."""
    return status in _TRANSIENT_STATUSES


def is_overloaded(status: int) -> bool:
    """Say whether a server that answered this has too much to do."""
    return status in _OVERLOADED_STATUSES


class Outcome(Enum):
    """How a try without success ended."""

    ABSENT = "absent"
    TRANSIENT = "transient"
    FATAL = "fatal"


class Move(Enum):
    """What to do next."""

    NEXT = "next"
    """Try the alternative that ``index`` names, at once."""
    LATER = "later"
    """Wait, then try the alternative that ``index`` names."""
    ABSENT = "absent"
    """Nobody has it."""
    GIVE_UP = "give up"
    """It cannot be had; the last error says why."""


class Attempts:
    """The tries of one request at its alternatives.

    Every alternative is tried in turn. When none is left, those that failed in a way that may pass
    are tried again, as often as there are retries. An alternative that does not have the thing is
    not asked again, but counts for an answer only when no other gives one.

    Attributes:
        index: The alternative to try.
        failures: Rounds in which every alternative failed.
    """

    __slots__ = ("_open", "_retries", "_round", "_saw_absent", "failures", "index")

    def __init__(self, alternatives: int, retries: int) -> None:
        self._open = list(range(alternatives))
        self._round = self._open[1:]
        self._retries = retries
        self._saw_absent = False
        self.index = 0
        self.failures = 0

    def record(self, outcome: Outcome) -> Move:
        """Take note of how the try at ``index`` ended."""
        if outcome is not Outcome.TRANSIENT:
            self._open.remove(self.index)
            self._saw_absent |= outcome is Outcome.ABSENT
        if self._round:
            self.index = self._round.pop(0)
            return Move.NEXT
        if self._open and self.failures < self._retries:
            self.failures += 1
            self.index, *self._round = self._open
            return Move.LATER
        return Move.ABSENT if self._saw_absent else Move.GIVE_UP

    def made_progress(self) -> None:
        """Forget failures: bytes came that will not have to come again."""
        self.failures = 0
