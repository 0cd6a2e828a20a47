# SPDX-License-Identifier: Apache-2.0
"""How often something is tried, and when again. Pure.

An image that fails is given up after some attempts, so that a device does not spend its life, and
its owner's traffic, on a release that never comes up. Whoever assigns it anew, as another update,
gets as many attempts again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.installs import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.uptane.client.installs import Install, Target

_MOST_DOUBLINGS = 16
_SPREAD = 0.2


class Pace(NamedTuple):
    """How often a server is asked.

    Attributes:
        polling_s: Between two questions, while all is well.
        longest_s: Between two questions, whatever happens.
    """

    polling_s: int
    longest_s: int


def failed_attempts(log: Sequence[Install], target: Target) -> int:
    """Return how often an image failed in an update; what was called off does not count."""
    return sum(
        one.state is State.FAILED
        and one.target.name == target.name
        and one.target.hashes == target.hashes
        and one.target.correlation_id == target.correlation_id
        for one in log
    )


def is_given_up(log: Sequence[Install], target: Target, attempts: int) -> bool:
    """Say whether an image has failed so often that it is not tried again in this update."""
    return failed_attempts(log, target) >= attempts


def next_pause_s(pace: Pace, failures: int, chance: float) -> float:
    """Return how long to wait before the next question.

    Args:
        pace: How often.
        failures: How many questions in a row went wrong; each doubles the pause.
        chance: From 0 to 1: spreads devices that all lost the same server at the same moment.
    """
    pause_s = float(pace.polling_s * (1 << min(failures, _MOST_DOUBLINGS)))
    pause_s = min(pause_s, float(max(pace.longest_s, pace.polling_s)))
    return pause_s * (1 + _SPREAD * (2 * chance - 1)) if failures else pause_s
