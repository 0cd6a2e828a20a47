# SPDX-License-Identifier: Apache-2.0
"""What a server does now and then by itself: metadata is signed anew before its time is over."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from ostrya.errors import OstryaError
from ostrya.fleet.db import campaigns, devices, log, updates
from ostrya.fleet.domain import rollouts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from ostrya.fleet.domain.services import Services

logger = logging.getLogger(__name__)

EVERY_S = 60.0
OFTEN_S = 2.0
_VEHICLES_AT_ONCE = 50
_CHANGES_KEPT = 100_000


def run_once(services: Services) -> int:
    """Do all that is due now and then; return how many files or vehicles were signed for."""
    return _run(services, (refresh_images, refresh_vehicles, forget_old))


def run_often(services: Services) -> int:
    """Do what people wait for; return how many devices were moved."""
    return _run(services, (move_campaigns,))


def _run(services: Services, all_of_them: Sequence[Callable[[Services], int]]) -> int:
    count = 0
    for job in all_of_them:
        try:
            count += job(services)
        except (OstryaError, OSError) as exc:
            # The others go on, and this one tries again.
            logger.warning("a job failed job=%s why=%s", job.__name__, exc)
    return count


def refresh_images(services: Services) -> int:
    """Sign the Image repository anew, where its keys are here and little time is left."""
    return len(services.images.refresh(services.fleet.now()))


def refresh_vehicles(services: Services) -> int:
    """Sign anew for vehicles that have little time left, or another root."""
    now = services.fleet.now()
    director = services.director
    # Twice the time that a request would wait for, so that hardly any request has to.
    soon = int((now + 2 * director.refresh_before + timedelta(seconds=EVERY_S)).timestamp())
    version = director.root_version()
    images = services.images.all_images()
    count = 0
    while True:
        with services.fleet.database.read() as connection:
            due = updates.devices_to_sign_for(connection, soon, version, _VEHICLES_AT_ONCE)
        if not due:
            return count

        def sign(connection: Connection, due: tuple[str, ...] = due) -> None:
            for device_id in due:
                director.sign_anew(connection, device_id, images, now)

        services.fleet.database.write(sign)
        count += len(due)


def move_campaigns(services: Services) -> int:
    """Let campaigns go on, each in small transactions; return how many devices were moved."""
    now = services.fleet.timestamp()
    images = services.images.all_images()
    with services.fleet.database.read() as connection:
        ids = [
            one.id
            for state in (campaigns.LAUNCHED, campaigns.PAUSED, campaigns.CANCELLED)
            for one in campaigns.list_campaigns(connection, state)
        ]
    count = 0
    for campaign_id in ids:

        def move(connection: Connection, campaign_id: str = campaign_id) -> int:
            return rollouts.step(connection, campaign_id, images, now)

        while moved := services.fleet.database.write(move):
            count += moved
    return count


def forget_old(services: Services) -> int:
    """Forget events beyond those that are kept, and changes that everybody has noticed."""
    kept = services.settings.limits.events_kept

    def forget(connection: Connection) -> None:
        devices.forget_changes(connection, devices.newest_change(connection) - _CHANGES_KEPT)
        for device_id in log.devices_with_more_events(connection, kept):
            log.forget_events(connection, device_id, kept)

    services.fleet.database.write(forget)
    return 0
