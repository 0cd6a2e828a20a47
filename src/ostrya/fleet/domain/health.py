# SPDX-License-Identifier: Apache-2.0
"""Whether a server can do its work now, and how much of everything it has: for who watches it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import OstryaError
from ostrya.fleet.db import campaigns, devices
from ostrya.fleet.domain.status import LOW_BYTES, free_bytes, look
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ostrya.fleet.connections import DoorFacts
    from ostrya.fleet.domain.services import Services


class Measurement(NamedTuple):
    """One number.

    Attributes:
        name: What is measured.
        value: How much it is.
        labels: Of what.
    """

    name: str
    value: float
    labels: Mapping[str, str]


HELP = {
    "info": ("gauge", "The release that runs"),
    "devices": ("gauge", "Devices that are registered"),
    "devices_seen_last_day": ("gauge", "Devices that asked for something in the last day"),
    "images": ("gauge", "Images that are published"),
    "assignments": ("gauge", "Assignments by their state"),
    "campaigns": ("gauge", "Campaigns by their state"),
    "warnings": ("gauge", "What `ostrya fleet status` warns of"),
    "expires_timestamp_seconds": (
        "gauge",
        "When the metadata of a role, or the authority, expires",
    ),
    "disk_free_bytes": ("gauge", "Room on the disk of the server's folder"),
    "connections": ("gauge", "Connections that are open at a door"),
    "requests_total": ("counter", "Requests that were answered at a door"),
    "turned_away_total": ("counter", "Connections that found no place at a door"),
}


def problems(services: Services) -> tuple[str, ...]:
    """Return why a server cannot do its work; nothing if it can."""
    found = []
    try:
        with services.fleet.database.read() as connection:
            devices.newest_change(connection)
    except OstryaError as exc:
        found.append(exc.message)
    try:
        free = free_bytes(services.settings)
        if free < LOW_BYTES:
            found.append(f"the disk of {services.settings.folder} is full: {free} bytes are left")
    except OSError as exc:
        found.append(f"the folder of the server cannot be read: {exc.strerror}")
    return tuple(found)


def measure(
    services: Services, doors: Mapping[str, DoorFacts], version: str
) -> Iterator[Measurement]:
    """Yield all numbers, those of one name one after the other."""
    found = look(services)
    yield Measurement("info", 1, {"version": version})
    yield Measurement("devices", found.devices, {})
    yield Measurement("devices_seen_last_day", found.seen_lately, {})
    yield Measurement("images", found.images, {})
    for state, count in sorted(found.assignments.items()):
        yield Measurement("assignments", count, {"state": state})
    with services.fleet.database.read() as connection:
        states = [one.state for one in campaigns.list_campaigns(connection)]
    for state in campaigns.STATES:
        yield Measurement("campaigns", states.count(state), {"state": state})
    yield Measurement("warnings", len(found.warnings), {})
    for what, moment in found.expires.items():
        yield Measurement("expires_timestamp_seconds", moment.timestamp(), {"what": what})
    yield Measurement("disk_free_bytes", free_bytes(services.settings), {})
    for field in ("connections", "requests_total", "turned_away_total"):
        for door, facts in doors.items():
            yield Measurement(field, getattr(facts, field.removesuffix("_total")), {"door": door})
