# SPDX-License-Identifier: Apache-2.0
"""The time of a device whose clock is behind what is known: it goes on while the client runs."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ostrya.uptane.time_floor import TimeFloor


class RunningTime:
    """The time of a device whose clock is behind: from the floor on, as long as it runs.

    Without it, whoever said "in an hour" would be asked never again. A clock that is behind may
    jump from one wrong year to another, so it is not looked at.
    """

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._anchor: tuple[float, datetime] | None = None

    def now(self, floor: TimeFloor, clock: datetime) -> datetime:
        """Return what the time is taken to be."""
        if not floor.is_behind(clock):
            self._anchor = None
            return clock
        if self._anchor is None:
            self._anchor = self._monotonic_s(), floor.moment
        since_s, moment = self._anchor
        return floor.now(moment + timedelta(seconds=self._monotonic_s() - since_s))
