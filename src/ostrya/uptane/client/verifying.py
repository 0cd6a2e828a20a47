# SPDX-License-Identifier: Apache-2.0
"""A verification as a device makes it: with what it keeps, and the time that it takes it for.

Nothing is written where nothing has changed: a device polls more often than its flash likes.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from ostrya.uptane.client import trust_store
from ostrya.uptane.client.vehicle_manifest import installed_on_all
from ostrya.uptane.full_verification import Vehicle, verify_fully
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.offline_verification import refresh_offline_snapshot, verify_offline
from ostrya.uptane.steps import Repository, run_steps

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ostrya.uptane.client.storage import Storage
    from ostrya.uptane.client.vehicle import Parts
    from ostrya.uptane.full_verification import Verified
    from ostrya.uptane.steps import Accepted, Wanted
    from ostrya.uptane.trusted_set import Trusted

log = logging.getLogger(__name__)

_FLOOR_STEP = timedelta(hours=1)


def device_time(parts: Parts) -> datetime:
    """Return what the time is taken to be: the clock's, but never below what is known."""
    around = parts.around
    floor, clock = trust_store.load_time_floor(parts.storage, around.built_at), around.clock()
    time = around.running_time
    return floor.now(clock) if time is None else time.now(floor, clock)


def verify_online(parts: Parts) -> Verified:
    """Verify what the server wants this vehicle to run.

    Raises:
        UptaneError: It is refused, or cannot be had; what was trusted before stays.
    """
    now = device_time(parts)
    steps = verify_fully(*_trusted(parts), vehicle_of(parts), now)
    found = run_steps(steps, parts.server.fetch_metadata, lambda one: _keep(parts.storage, one))
    director, why = run_steps(
        refresh_offline_snapshot(found.director),
        parts.server.fetch_metadata,
        lambda one: _keep(parts.storage, one),
    )
    if why:
        log.warning("the list of lockboxes is left as it was reason=%s", why)
    raise_floor(parts, now)
    return found._replace(director=director)


def verify_medium(parts: Parts, fetch: Callable[[Wanted], bytes | None]) -> Verified:
    """Verify a lockbox that somebody brought.

    Raises:
        UptaneError: It is refused.
    """
    now = device_time(parts)
    steps = verify_offline(*_trusted(parts), vehicle_of(parts), now)
    found = run_steps(steps, fetch, lambda one: _keep(parts.storage, one))
    raise_floor(parts, now)
    return found


def vehicle_of(parts: Parts) -> Vehicle:
    """Return what is known of the vehicle without a server."""
    return Vehicle(
        parts.ecus,
        installed_on_all(parts),
        parts.identity.vehicle_id,
        parts.rules.director_files,
    )


def raise_floor(parts: Parts, now: datetime) -> None:
    """Remember that it is at least so late; in steps, since that is a write."""
    floor = trust_store.load_time_floor(parts.storage, parts.around.built_at)
    if now >= floor.moment + _FLOOR_STEP:
        trust_store.keep_time_floor(parts.storage, floor.raised(now))


def _trusted(parts: Parts) -> tuple[Trusted, Trusted]:
    storage, rules = parts.storage, parts.rules
    return (
        trust_store.load_trusted(storage, Repository.DIRECTOR, Dialect.UPTANE, rules.limits),
        trust_store.load_trusted(storage, Repository.IMAGE, rules.image_dialect, rules.limits),
    )


def _keep(storage: Storage, accepted: Accepted) -> None:
    """Keep what is trusted, unless it is what is kept already."""
    known = trust_store.load_files(storage, accepted.repository)
    if known != dict(accepted.trusted.files):
        trust_store.keep(storage, accepted)
