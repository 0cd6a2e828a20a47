# SPDX-License-Identifier: Apache-2.0
"""Who was turned away at the door for devices, as events: withdrawn, or there twice.

Whoever is turned away may come again and again, so each is told of now and then only.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from ostrya.fleet.db import devices, log
from ostrya.fleet.domain.manifests import own_event

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ostrya.fleet.errors import Refusal

EVENTS = {
    "certificate_revoked": "CertificateRefused",
    "device_already_registered": "RegistrationRefused",
    "ecu_already_registered": "RegistrationRefused",
}
AGAIN_AFTER_S = 3600
_MAX_REMEMBERED = 10_000


class TurnedAway:
    """Remembers of whom it was told lately."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[str, str], int] = OrderedDict()

    def is_news(self, device_id: str, code: str, now: int) -> bool:
        """Say whether a refusal is to be told, and remember that it was."""
        if code not in EVENTS:
            return False
        key = (device_id, code)
        before = self._told.get(key)
        if before is not None and 0 <= now - before < AGAIN_AFTER_S:
            return False
        self._told[key] = now
        self._told.move_to_end(key)
        while len(self._told) > _MAX_REMEMBERED:
            self._told.popitem(last=False)
        return True


def tell(connection: Connection, device_id: str, refusal: Refusal, now: int) -> None:
    """Keep that a device was turned away, if there is one of that name."""
    if devices.find_device(connection, device_id) is None:
        return
    facts = {"code": refusal.code, "description": refusal.message}
    log.add_events(connection, [own_event(device_id, EVENTS[refusal.code], facts, now)])
