# SPDX-License-Identifier: Apache-2.0
"""A clock that is known to be wrong: seen at each look, told to the server once.

What is known is the floor of time. A device without a battery goes on with that, and its owner is
told, since expiry is seen late as long as the clock is not set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.uptane.client.event_queue import Event, queue_event
from ostrya.uptane.client.trust_store import load_time_floor
from ostrya.uptane.metadata.fields import format_time

if TYPE_CHECKING:
    from datetime import datetime

    from ostrya.uptane.client.vehicle import Parts
    from ostrya.uptane.time_floor import TimeFloor

CLOCK_TOLD = "clock-told"
"""A fact of the database: the server was told, and the clock was not right since."""


def clock_fault(floor: TimeFloor, clock: datetime) -> str:
    """Return what is wrong with a clock, in a sentence; empty for nothing."""
    if not floor.is_behind(clock):
        return ""
    now = floor.now(clock)
    return f"the clock says {format_time(clock)}, but it is {format_time(now)} at least"


def tell_of_clock(parts: Parts) -> None:
    """Queue an event when the clock is found wrong; once, until it was right again.

    Raises:
        StorageError: The database cannot be changed.
    """
    storage, around = parts.storage, parts.around
    floor, clock = load_time_floor(storage, around.built_at), around.clock()
    words = clock_fault(floor, clock)
    is_told = storage.fact(CLOCK_TOLD) is not None
    if words and not is_told:
        event = Event("ClockWrong", floor.now(clock), parts.identity.serial, success=False)
        queue_event(storage, event._replace(description=words))
        storage.set_fact(CLOCK_TOLD, format_time(clock).encode())
    elif is_told and not words:
        storage.forget_fact(CLOCK_TOLD)
