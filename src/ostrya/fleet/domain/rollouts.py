# SPDX-License-Identifier: Apache-2.0
"""Campaigns in waves: a few devices first, more once these are well, and a halt by itself if not.

::

    waves      "5%,25%"   after the first wave a twentieth of all devices has it, then a quarter,
                          then all; a number without % is so many devices
    failures   "10%"      as many of a wave fail, and the campaign pauses; empty: it never does
    advance    90         so many of a hundred of a wave have it, and the next wave begins

A device that declines, or for which the image is not made, counts neither way. Which devices come
first is drawn by lot, the same for each look at one campaign.

What a step does is small, so that devices which report are not kept waiting by a large wave.
"""

from __future__ import annotations

import hashlib
import logging
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from ostrya.fleet.db import campaigns as rows
from ostrya.fleet.db import devices, updates
from ostrya.fleet.domain import assignments
from ostrya.fleet.errors import BadRequest, Conflict, Refusal
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from ostrya.fleet.db.campaigns import Campaign, Count
    from ostrya.uptane.metadata.targets import Image

logger = logging.getLogger(__name__)

MAX_WAVES = 20
AT_ONCE = 50
_TRY_AGAIN_S = 60
_AMOUNT = re.compile(r"([1-9][0-9]{0,8})(%?)")
_COUNT_NEITHER_WAY = frozenset({rows.DECLINED, rows.SKIPPED, rows.WITHDRAWN})
_NOT_BEGUN = (updates.PENDING,)
_NOT_INSTALLING = (updates.PENDING, updates.DOWNLOADING)


class Amount(NamedTuple):
    """So many devices, or so many of a hundred.

    Attributes:
        number: How many.
        is_percentage: Of a hundred.
    """

    number: int
    is_percentage: bool

    def of(self, count: int) -> int:
        """Return how many that are of some devices, at least one."""
        return max(-(-count * self.number // 100) if self.is_percentage else self.number, 1)

    def __str__(self) -> str:
        return f"{self.number}%" if self.is_percentage else str(self.number)


def parse_amount(text: str, what: str) -> Amount:
    """Parse a number of devices, or a percentage.

    Raises:
        BadRequest: It is none.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None or (found[2] and int(found[1]) > 100):
        raise BadRequest(
            f"{what} is {text[:40]!r}", hint="it is a number of devices as 20, or a share as 5%"
        )
    return Amount(int(found[1]), bool(found[2]))


def parse_waves(texts: Sequence[str]) -> tuple[Amount, ...]:
    """Parse waves, each of which says how much of all has it after that wave.

    Raises:
        BadRequest: One is none, or is not larger than the one before.
    """
    if len(texts) > MAX_WAVES:
        raise BadRequest(f"there are {len(texts)} waves, and up to {MAX_WAVES} are possible")
    found = tuple(parse_amount(one, "a wave") for one in texts)
    for before, after in pairwise(found):
        if before.is_percentage == after.is_percentage and before.number >= after.number:
            raise BadRequest(
                f"the wave {after} is not larger than {before} before it",
                hint="each says how many have the image after it, those before counted",
            )
    return found


def waves_of(campaign: Campaign) -> tuple[Amount, ...]:
    """Return the waves of a campaign."""
    return parse_waves(campaign.waves.split(",")) if campaign.waves else ()


def plan(campaign: Campaign, device_ids: Iterable[str]) -> dict[str, int]:
    """Return in which wave each of some devices comes."""
    drawn = sorted(
        device_ids, key=lambda one: hashlib.sha256(f"{campaign.id}/{one}".encode()).digest()
    )
    found: dict[str, int] = {}
    wave = 0
    for amount in waves_of(campaign):
        part = drawn[len(found) : min(amount.of(len(drawn)), len(drawn))]
        # A wave of nobody is none.
        wave += bool(part)
        found |= dict.fromkeys(part, wave)
    rest = drawn[len(found) :]
    return {**found, **dict.fromkeys(rest, wave + 1)}


# ------------------------------------------------------------------------ by their owner


def pause(connection: Connection, campaign: Campaign, reason: str, now: int) -> None:
    """Let no more devices begin; those that have begun go on.

    Raises:
        Conflict: It is not under way.
    """
    if campaign.state != rows.LAUNCHED:
        raise Conflict(
            f"the campaign {campaign.name} is {campaign.state}", code="campaign_not_launched"
        )
    # Who has agreed is not asked again.
    after = rows.WAITING if campaign.mode == rows.ASSIGN else rows.AGREED
    _take_back(connection, campaign, _NOT_BEGUN, after, now)
    for state in (rows.OFFERED, rows.POSTPONED):
        rows.move_campaign_devices(connection, campaign.id, {"state": state}, rows.WAITING, now)
    values = {"state": rows.PAUSED, "reason": reason}
    rows.change_campaign(connection, campaign.id, values, now)


def resume(connection: Connection, campaign: Campaign, now: int) -> None:
    """Let a campaign go on; what failed before does not count any more.

    Raises:
        Conflict: It is not paused.
    """
    if campaign.state != rows.PAUSED:
        raise Conflict(
            f"the campaign {campaign.name} is {campaign.state}", code="campaign_not_paused"
        )
    values = {"state": rows.LAUNCHED, "reason": "", "counted_from": now + 1}
    rows.change_campaign(connection, campaign.id, values, now)


def withdraw(connection: Connection, campaign: Campaign, now: int) -> None:
    """End a campaign: who has not begun to install does not; who has, tells how it went."""
    if campaign.state in {rows.CANCELLED, rows.FINISHED}:
        return
    _take_back(connection, campaign, _NOT_INSTALLING, rows.WITHDRAWN, now)
    for state in (rows.WAITING, rows.OFFERED, rows.POSTPONED, rows.AGREED):
        rows.move_campaign_devices(connection, campaign.id, {"state": state}, rows.WITHDRAWN, now)
    rows.change_campaign(connection, campaign.id, {"state": rows.CANCELLED, "reason": ""}, now)


def _take_back(
    connection: Connection, campaign: Campaign, states: Sequence[str], to: str, now: int
) -> None:
    found = rows.assignments_of_campaign(connection, campaign, states)
    others = rows.assignments_of_campaign(
        connection, campaign, [one for one in updates.OPEN if one not in states]
    )
    values = {"state": updates.CANCELLED, "code": "CANCELLED", "updated": now}
    for one in found:
        updates.change_assignment(connection, one.id, values)
    # A device of which another ECU has begun is under way.
    begun = {one.device_id for one in others}
    for device_id in dict.fromkeys(one.device_id for one in found):
        devices.note_change(connection, device_id)
        if device_id not in begun:
            where = {"device_id": device_id, "state": rows.ACCEPTED}
            rows.move_campaign_devices(connection, campaign.id, where, to, now)


# --------------------------------------------------------------------------- by themselves


def step(connection: Connection, campaign_id: str, images: Mapping[str, Image], now: int) -> int:
    """Go on with a campaign as far as one transaction may; return how many devices were moved."""
    campaign = rows.find_campaign(connection, campaign_id)
    if campaign is None:
        return 0
    count = 0
    for device_id in rows.devices_with_results(connection, campaign)[:AT_ONCE]:
        count += settle(connection, campaign, device_id, now)
    campaign = rows.find_campaign(connection, campaign_id)
    if campaign is None or campaign.state != rows.LAUNCHED:
        return count
    if campaign.mode == rows.ASSIGN and campaign.target not in images:
        pause(connection, campaign, f"there is no image {campaign.target} any more", now)
        return count
    return count + _begin(connection, campaign, images, now) + _advance(connection, campaign, now)


def settle(connection: Connection, campaign: Campaign, device_id: str, now: int) -> int:
    """Take what became of the assignments of a device; say whether that is known."""
    found = rows.campaign_devices(connection, campaign.id, {"device_id": device_id})
    where = {"device_id": device_id, "correlation_id": campaign.correlation_id}
    newest: dict[str, updates.Assignment] = {}
    for one in updates.list_assignments(connection, where):
        newest.setdefault(one.ecu, one)
    if not found or found[0].state != rows.ACCEPTED or not newest:
        return 0
    states = {one.state for one in newest.values()}
    if states & set(updates.OPEN):
        return 0
    failed = [one for one in newest.values() if one.state == updates.FAILED]
    member = found[0]._replace(state=rows.WITHDRAWN, reason="", updated=now)
    if failed:
        words = failed[0].reason or failed[0].code
        member = member._replace(state=rows.FAILED, reason=words)
    elif updates.DONE in states:
        member = member._replace(state=rows.DONE)
    rows.put_campaign_device(connection, member)
    if failed:
        halt_if_bad(connection, campaign.id, member.wave, now)
    return 1


def settle_closed(connection: Connection, closed: Iterable[updates.Assignment], now: int) -> None:
    """Take what became of assignments that were just closed, at once: a bad image is halted."""
    for one in closed:
        campaign_id = rows.id_in(one.correlation_id)
        campaign = rows.find_campaign(connection, campaign_id) if campaign_id else None
        if campaign is not None:
            settle(connection, campaign, one.device_id, now)


def halt_if_bad(connection: Connection, campaign_id: str, wave: int, now: int) -> None:
    """Pause a campaign of which as many devices of a wave failed as may not."""
    campaign = rows.find_campaign(connection, campaign_id)
    if campaign is None or campaign.state != rows.LAUNCHED or not campaign.failures:
        return
    counts = [one for one in rows.count_campaign_devices(connection, campaign) if one.wave == wave]
    size = sum(one.size for one in counts)
    failed = sum(one.failed_lately for one in counts)
    if failed >= parse_amount(campaign.failures, "failures").of(size):
        reason = f"{failed} of {size} devices of wave {wave} failed"
        logger.warning("a campaign was paused name=%s why=%s", campaign.name, reason)
        pause(connection, campaign, reason, now)


def _begin(
    connection: Connection, campaign: Campaign, images: Mapping[str, Image], now: int
) -> int:
    """Let devices begin whose turn it is."""
    count = 0
    if campaign.mode == rows.OFFER:
        count = rows.offer_to_waiting(connection, campaign, now)
    found = rows.next_campaign_devices(connection, campaign, now - _TRY_AGAIN_S, AT_ONCE)
    for member in found:
        state, reason = give(connection, campaign, member.device_id, images, now)
        rows.put_campaign_device(
            connection, member._replace(state=state, reason=reason, updated=now)
        )
    return count + len(found)


def give(
    connection: Connection,
    campaign: Campaign,
    device_id: str,
    images: Mapping[str, Image],
    now: int,
) -> tuple[str, str]:
    """Assign the image to a device; return in which state it is then, and why."""
    name = campaign.correlation_id
    wanted = assignments.Wanted(device_id, campaign.target, correlation_id=name)
    try:
        assignments.assign(connection, wanted, images, now)
    except Refusal as exc:
        # What is under way there ends at some time.
        if exc.code == "assignment_exists":
            later = rows.WAITING if campaign.mode == rows.ASSIGN else rows.AGREED
            return later, exc.message
        return rows.SKIPPED, exc.message
    return rows.ACCEPTED, ""


def _advance(connection: Connection, campaign: Campaign, now: int) -> int:
    """Let the next wave begin, or the campaign be at its end, if it is time."""
    counts = rows.count_campaign_devices(connection, campaign)
    if not any(one.state in rows.UNDER_WAY for one in counts):
        rows.change_campaign(connection, campaign.id, {"state": rows.FINISHED}, now)
        return 0
    last = max(one.wave for one in counts)
    begun = [one for one in counts if one.wave <= campaign.wave]
    if campaign.wave >= last:
        return 0
    if _is_well(begun, campaign.advance):
        rows.change_campaign(connection, campaign.id, {"wave": campaign.wave + 1}, now)
        return 1
    if not any(one.state in rows.UNDER_WAY for one in begun):
        have_it = sum(one.size for one in begun if one.state == rows.DONE)
        reason = f"after wave {campaign.wave}, fewer than {campaign.advance}% have it: {have_it}"
        logger.warning("a campaign was paused name=%s why=%s", campaign.name, reason)
        pause(connection, campaign, reason, now)
    return 0


def _is_well(begun: Sequence[Count], percentage: int) -> bool:
    """Say whether enough of those that have begun have the image."""
    counted = [one for one in begun if one.state not in _COUNT_NEITHER_WAY]
    size = sum(one.size for one in counted)
    have_it = sum(one.size for one in counted if one.state == rows.DONE)
    return 100 * have_it >= percentage * size
