# SPDX-License-Identifier: Apache-2.0
"""Events that the server has still to be told: kept until it says that it has them.

::

    {"id": UUID, "deviceTime": …, "eventType": {"id": …, "version": 0},
     "event": {"ecu", "correlationId", "success", "description"}}

Source: aktualizr's ReportQueue.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.metadata.fields import format_time

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

    from ostrya.uptane.client.storage import Storage
    from ostrya.uptane.metadata.json_text import Object

MAX_EVENTS = 10_000
"""More are not kept: the oldest go, of a device that has not seen its server for years."""


_UNKEPT = uuid.UUID("0f6a3d0c-7f0b-4bd2-8d5f-2f9f0d9f6f10")


class Event(NamedTuple):
    """One event.

    Attributes:
        kind: EcuInstallationStarted and so on.
        at: When it was.
        ecu: Of which; empty for the device.
        correlation_id: Of the update; empty for none.
        success: How it ended; None while it has not.
        description: In words; empty for none.
        campaign_id: What the user was asked about; empty for nothing.
    """

    kind: str
    at: datetime
    ecu: str = ""
    correlation_id: str = ""
    success: bool | None = None
    description: str = ""
    campaign_id: str = ""

    def to_json(self, event_id: str) -> Object:
        """Return it as servers know it."""
        event: Object = {"correlationId": self.correlation_id}
        if self.ecu:
            event["ecu"] = self.ecu
        if self.success is not None:
            event["success"] = self.success
        if self.description:
            event["description"] = self.description
        if self.campaign_id:
            event["campaignId"] = self.campaign_id
        return {
            "id": event_id,
            "deviceTime": format_time(self.at),
            "eventType": {"id": self.kind, "version": 0},
            "event": event,
        }


def queue_event(storage: Storage, event: Event) -> None:
    """Queue an event that tells of nothing else that is kept."""
    with storage.transaction() as connection:
        put_event(connection, event)


def put_event(connection: sqlite3.Connection, event: Event) -> None:
    """Queue an event, together with what it tells of: inside that transaction."""
    event_id = str(uuid.uuid4())
    body = json.dumps(event.to_json(event_id), sort_keys=True)
    connection.execute("INSERT INTO events (uuid, body) VALUES (?, ?)", (event_id, body))
    connection.execute(
        "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?", (MAX_EVENTS,)
    )


def unkept_event(event: Event) -> Object:
    """Return an event that there is no room to keep, for a server that is told of it at once.

    Nothing here remembers that it was told. Its id is the same all day, so that a server that knows
    events by their ids keeps one, however often it is told.
    """
    day = event.at.date().isoformat()
    name = json.dumps([event.kind, event.ecu, event.correlation_id, event.description, day])
    return event.to_json(str(uuid.uuid5(_UNKEPT, name)))


def oldest_events(storage: Storage, most: int) -> tuple[tuple[int, Object], ...]:
    """Return events that are to be sent, each with its number, the oldest first."""
    found = storage.rows("SELECT id, body FROM events ORDER BY id LIMIT ?", most)
    return tuple(
        (number, json.loads(body))
        for number, body in found
        if isinstance(number, int) and isinstance(body, str)
    )


def forget_events(storage: Storage, numbers: Sequence[int]) -> None:
    """Forget events that the server has, or that it will never take."""
    with storage.transaction() as connection:
        rows = [(number,) for number in numbers]
        connection.executemany("DELETE FROM events WHERE id = ?", rows)
