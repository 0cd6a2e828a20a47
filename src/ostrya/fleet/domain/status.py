# SPDX-License-Identifier: Apache-2.0
"""How a server is: what it holds, and what somebody has to do soon."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from ostrya.fleet.db import campaigns, devices, updates
from ostrya.fleet.errors import SetupError
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.author.roles import expiries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ostrya.fleet.domain.services import Services
    from ostrya.fleet.settings import Settings

_SEEN_LATELY = timedelta(days=1)
_SOON = timedelta(days=14)
LOW_BYTES = 64 * 1024 * 1024
"""With less room on its disk than this, a server cannot promise to keep what it is told."""
_LITTLE_SHARE = 20


class Status(NamedTuple):
    """How a server is.

    Attributes:
        name: Of the fleet.
        gateway: Where devices reach it.
        devices: How many there are.
        seen_lately: How many of them asked for something in the last day.
        assignments: How many are in each state.
        images: How many are published.
        expires: Until when the roles of both repositories are to be believed.
        warnings: What somebody has to do.
    """

    name: str
    gateway: str
    devices: int
    seen_lately: int
    assignments: Mapping[str, int]
    images: int
    expires: Mapping[str, datetime]
    warnings: tuple[str, ...]


def look(services: Services) -> Status:
    """Look how a server is."""
    now = services.fleet.now()
    since = int((now - _SEEN_LATELY).timestamp())
    with services.fleet.database.read() as connection:
        paused = campaigns.list_campaigns(connection, campaigns.PAUSED)
        count = devices.count_devices(connection)
        lately = devices.count_devices(connection, since)
        assignments = updates.count_assignments(connection)
    expires = {f"director/{role}": moment for role, moment in _director(services).items()}
    expires |= {f"image/{role}": one for role, one in expiries(services.images.work).items()}
    certificate = services.fleet.authority.certificate
    expires["authority"] = certificate.not_valid_after_utc
    return Status(
        services.settings.server.name,
        services.settings.gateway_url,
        count,
        lately,
        assignments,
        len(services.images.all_images()),
        expires,
        (
            *_warnings(services, expires, now),
            *_room(services.settings),
            *(f"the campaign {one.name} is paused: {one.reason}" for one in paused),
        ),
    )


def free_bytes(settings: Settings) -> int:
    """Return how much room the disk of the server's folder has.

    Raises:
        OSError: There is no such folder.
    """
    found = os.statvfs(settings.folder)
    return found.f_bavail * found.f_frsize


def _room(settings: Settings) -> tuple[str, ...]:
    free = free_bytes(settings)
    found = os.statvfs(settings.folder)
    if free >= LOW_BYTES and free * _LITTLE_SHARE >= found.f_blocks * found.f_frsize:
        return ()
    return (f"little room is left on the disk of {settings.folder}: {free // 1_000_000} MB",)


def _director(services: Services) -> dict[str, datetime]:
    """Return when the Director's root expires; its other files there are for lockboxes only."""
    return {"root": services.director.work.newest_root().header.expires}


def _warnings(
    services: Services, expires: Mapping[str, datetime], now: datetime
) -> tuple[str, ...]:
    found = []
    for role, moment in expires.items():
        signs_itself = role in {"image/snapshot", "image/timestamp"} or (
            role.startswith("image/") and _is_here(services, role.removeprefix("image/"))
        )
        if moment <= now and not signs_itself:
            found.append(f"{role} expired on {moment:%Y-%m-%d}: devices refuse it")
        elif moment - now < _SOON and not signs_itself:
            found.append(f"{role} expires on {moment:%Y-%m-%d}: sign it anew")
    try:
        services.director.keys()
    except SetupError as exc:
        found.append(exc.message)
    return tuple(found)


def _is_here(services: Services, role: str) -> bool:
    root = services.images.work.root()
    return role in root.roles and services.images.is_here(role)
