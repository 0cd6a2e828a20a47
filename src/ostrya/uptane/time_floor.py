# SPDX-License-Identifier: Apache-2.0
"""What time it is, for a device whose clock may say anything.

A device without a battery starts in 1970; somebody may set its clock back. So there is a floor
below which it never is: the day that its software was built, and the latest moment at which
metadata was found fresh. A clock may also be too far ahead. Then everything has expired and is
refused, which heals when the clock is set; so the floor rises only to moments at which a whole
verification succeeded, and those are bounded by what was signed.

Source: Uptane Standard 2.1.0, section 5.4 (a secure source of time).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from datetime import datetime


class TimeFloor(NamedTuple):
    """The moment before which it cannot be.

    Attributes:
        moment: In UTC.
    """

    moment: datetime

    def now(self, clock: datetime) -> datetime:
        """Return what the time is taken to be."""
        return max(clock, self.moment)

    def is_behind(self, clock: datetime) -> bool:
        """Say whether the clock is known to be wrong."""
        return clock < self.moment

    def raised(self, verified_at: datetime) -> TimeFloor:
        """Return the floor after everything was found fresh at a moment."""
        return TimeFloor(max(self.moment, verified_at))
