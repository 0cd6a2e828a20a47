# SPDX-License-Identifier: Apache-2.0
"""Events, handed in: each until the server has it, and by its id known to it if it comes twice.

========  =====================================================
2xx       the server has them: they are forgotten here
404       it takes none at all: they are forgotten
413       fewer at a time; one that is too large alone is forgotten
else      they are kept, and handed in later
========  =====================================================

Source: aktualizr's ReportQueue.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ostrya.errors import OstryaError
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.event_queue import forget_events, oldest_events
from ostrya.uptane.client.server import EventsOutcome
from ostrya.uptane.client.state import Area, clear_trouble, note_trouble

if TYPE_CHECKING:
    from datetime import datetime

    from ostrya.uptane.client.server import Server
    from ostrya.uptane.client.storage import Storage

log = logging.getLogger(__name__)

BATCH = 100


class Sent(NamedTuple):
    """What became of the queue.

    Attributes:
        taken: How many the server has now.
        dropped: How many it will never take.
        error: Why others are still here; None if there are none.
    """

    taken: int
    dropped: int
    error: OstryaError | None = None


def send_events(storage: Storage, server: Server, now: datetime) -> Sent:
    """Hand in what is queued; what goes wrong is kept as a trouble, and keeps no update back.

    Raises:
        StorageError: The database cannot be changed.
    """
    taken = dropped = 0
    batch = BATCH
    # What is queued meanwhile waits for the next time.
    last = _newest(storage)
    while events := [one for one in oldest_events(storage, batch) if one[0] <= last]:
        numbers = [number for number, _ in events]
        try:
            outcome = server.send_events([body for _, body in events])
        except OstryaError as exc:
            log.warning("events were not taken count=%d error=%s", len(events), exc.message)
            note_trouble(storage, Area.EVENTS, exc, now)
            return Sent(taken, dropped, exc)
        if outcome is EventsOutcome.TOO_LARGE and len(events) > 1:
            batch = len(events) // 2
            continue
        if outcome is EventsOutcome.TAKEN:
            taken += len(events)
            batch = min(BATCH, 2 * batch)
        else:
            log.warning("events are dropped count=%d why=%s", len(events), outcome.value)
            dropped += len(events)
        forget_events(storage, numbers)
    clear_trouble(storage, Area.EVENTS)
    return Sent(taken, dropped)


def _newest(storage: Storage) -> int:
    found = storage.rows("SELECT coalesce(max(id), 0) FROM events")[0][0]
    return found if isinstance(found, int) else 0
