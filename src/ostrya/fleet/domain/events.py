# SPDX-License-Identifier: Apache-2.0
"""What devices say that happened: kept once, however often they say it, and acted on.

::

    [{"id": UUID, "deviceTime": "2026-12-01T00:00:00Z", "eventType": {"id": NAME, "version": 0},
      "event": {"ecu": SERIAL, "correlationId": …, "success": true, …}}]

Source: aktualizr's report queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import UptaneError
from ostrya.fleet.db import log, updates
from ostrya.fleet.domain import assignments, campaigns
from ostrya.fleet.domain.assignments import Progress
from ostrya.fleet.domain.words import plain
from ostrya.fleet.errors import BadRequest
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.metadata.canonical_json import ascii_bytes
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.json_text import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from ostrya.uptane.metadata.json_text import Json, Object
    from ostrya.uptane.metadata.targets import Image

MAX_EVENTS = 1000
_STATES = {
    "EcuDownloadStarted": updates.DOWNLOADING,
    "EcuDownloadCompleted": updates.DOWNLOADING,
    "EcuInstallationStarted": updates.INSTALLING,
    "EcuInstallationApplied": updates.APPLIED,
}
_WORDS = {
    "EcuDownloadCompleted": "the download failed",
    "EcuInstallationCompleted": "the installation failed",
}


class Told(NamedTuple):
    """An event as a device tells it.

    Attributes:
        uuid: By which it is known again.
        kind: What happened.
        device_time: What the device's clock said.
        facts: About it.
        body: As it came.
    """

    uuid: str
    kind: str
    device_time: str
    facts: Mapping[str, Json]
    body: str

    def text(self, name: str) -> str:
        """Return a fact that is text; empty for none."""
        return plain(self.facts.get(name))

    @property
    def success(self) -> bool | None:
        """Whether it went well; None where that is not said."""
        value = self.facts.get("success")
        return value if isinstance(value, bool) else None


def read(data: bytes, max_bytes: int) -> tuple[Told, ...]:
    """Read events.

    Raises:
        BadRequest: They are none.
    """
    what = "the events"
    try:
        value = parse_json(data, max_bytes, what)
        if not isinstance(value, list) or len(value) > MAX_EVENTS:
            raise BadRequest(
                f"{what} are no list of up to {MAX_EVENTS} events", code="invalid_events"
            )
        return tuple(_read_one(one) for one in value)
    except UptaneError as exc:
        raise BadRequest(exc.message, code="invalid_events") from exc


def _read_one(value: Json) -> Told:
    fields = Fields(value, "an event")
    body = ascii_bytes(value).decode()
    uuid = fields.text("id")
    kind = Fields(fields.mapping("eventType"), "the type of an event")
    name = kind.text("id")
    when = fields.take("deviceTime") if fields.has("deviceTime") else ""
    facts: Object = fields.mapping("event") if fields.has("event") else {}
    if not 0 < len(uuid) <= 100 or not 0 < len(name) <= 100:
        raise fields.wrong("id", "not from 1 to 100 characters long")
    return Told(plain(uuid), plain(name), plain(when, 64), facts, body)


def take(
    connection: Connection,
    device_id: str,
    told: Sequence[Told],
    images: Mapping[str, Image],
    now: int,
) -> int:
    """Keep what is new of some events, and act on it; return how much was new."""
    known = log.known_events(connection, device_id, [one.uuid for one in told])
    new = list({one.uuid: one for one in told if one.uuid not in known}.values())
    log.add_events(connection, [_row(device_id, one, now) for one in new])
    for one in new:
        campaign = one.text("campaignId")
        if one.kind in campaigns.ANSWERS and campaign:
            answer = campaigns.Answer(campaign, device_id, campaigns.ANSWERS[one.kind])
            campaigns.take_answer(connection, answer, images, now)
        else:
            _move(connection, device_id, one, now)
    return len(new)


def _row(device_id: str, one: Told, now: int) -> log.Event:
    return log.Event(
        0, one.uuid, device_id, now, one.device_time, one.kind, one.text("ecu"),
        one.text("correlationId"), one.success, one.body,
    )  # fmt: skip


def _move(connection: Connection, device_id: str, told: Told, now: int) -> None:
    state = _STATES.get(told.kind, "")
    failed = told.success is False
    if not state and not failed:
        return
    ecu = told.text("ecu")
    all_open = updates.open_assignments(connection, device_id)
    for one in all_open:
        if one.ecu == ecu and assignments.is_of(one, told.text("correlationId"), all_open):
            # Whether it failed for good, the report says that comes with the next manifest.
            words = _WORDS.get(told.kind, "") if failed else ""
            reason = (told.text("description") or words) if failed else ""
            moved = Progress("" if failed else state, "", reason)
            assignments.move_on(connection, one, moved, now)
