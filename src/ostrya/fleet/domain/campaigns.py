# SPDX-License-Identifier: Apache-2.0
"""Campaigns: an update for many devices, which is assigned to them, or offered.

Who is offered one gets it once it accepts::

    GET /campaigner/campaigns → {"campaigns": [{"id", "name", "autoAccept", "metadata": […]}]}
    events campaign_accepted, campaign_declined, campaign_postponed with a campaignId

Source: aktualizr's Campaign.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from ostrya.fleet.db import campaigns as rows
from ostrya.fleet.db import devices
from ostrya.fleet.domain import assignments, groups, rollouts
from ostrya.fleet.errors import BadRequest, Conflict, NotFound
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from ostrya.uptane.metadata.json_text import Json, Object
    from ostrya.uptane.metadata.targets import Image

ANSWERS = {
    "campaign_accepted": rows.ACCEPTED,
    "campaign_declined": rows.DECLINED,
    "campaign_postponed": rows.POSTPONED,
}
_ASKED = frozenset({rows.OFFERED, rows.POSTPONED, rows.DECLINED})


class Answer(NamedTuple):
    """What a device answers to an offer.

    Attributes:
        campaign_id: To which.
        device_id: Which device.
        state: What it says.
    """

    campaign_id: str
    device_id: str
    state: str


class Offer(NamedTuple):
    """What a new campaign is about.

    Attributes:
        name: What people call it.
        target: Name of the image.
        description: What the user of a device is told.
        installation_s: How long it takes.
        preparation_s: How long is to be prepared for it.
        auto_accept: Nobody is asked by a device that it is offered to.
        mode: Whether it is assigned to devices, or offered.
        waves: How much of all has it after each wave; all after the last one in any case.
        failures: How many of a wave make it pause; empty for any number.
        advance: What percentage of a wave has to have it before the next begins.
    """

    name: str
    target: str
    description: str = ""
    installation_s: int = 0
    preparation_s: int = 0
    auto_accept: bool = False
    mode: str = rows.OFFER
    waves: tuple[str, ...] = ()
    failures: str = ""
    advance: int = 100


class Whom(NamedTuple):
    """Whom a campaign is for.

    Attributes:
        device_ids: These devices.
        groups: And all of these groups.
        all_devices: And all that there are now.
    """

    device_ids: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    all_devices: bool = False


def create(
    connection: Connection, offer: Offer, images: Mapping[str, Image], now: int
) -> rows.Campaign:
    """Make a campaign, which no device hears of yet.

    Raises:
        BadRequest: What is wanted is not possible.
        NotFound: There is no such image.
    """
    assignments.check_name(offer.name, "the name of the campaign")
    if offer.mode not in {rows.ASSIGN, rows.OFFER}:
        raise BadRequest(f"the mode is {offer.mode[:40]!r}", hint="it is `assign` or `offer`")
    if not 1 <= offer.advance <= 100:
        raise BadRequest(f"advance is {offer.advance}", hint="it is a percentage from 1 to 100")
    waves = ",".join(str(one) for one in rollouts.parse_waves(offer.waves))
    if offer.failures:
        rollouts.parse_amount(offer.failures, "failures")
    if offer.target not in images:
        raise NotFound(f"there is no image {offer.target[:200]!r}", code="missing_target")
    campaign = rows.Campaign(
        str(uuid.uuid4()), offer.name, offer.target, offer.description, offer.installation_s,
        offer.preparation_s, offer.auto_accept, rows.DRAFT, now, now, offer.mode, waves, 0,
        offer.failures, offer.advance,
    )  # fmt: skip
    rows.add_campaign(connection, campaign)
    return campaign


def require(connection: Connection, campaign_id: str) -> rows.Campaign:
    """Return a campaign.

    Raises:
        NotFound: There is none.
    """
    found = rows.find_campaign(connection, campaign_id)
    if found is None:
        raise NotFound(f"there is no campaign {campaign_id[:80]!r}", code="missing_campaign")
    return found


def named(connection: Connection, name: str) -> rows.Campaign:
    """Return a campaign by its name or its id.

    Raises:
        NotFound: There is none.
        Conflict: There are several of that name.
    """
    found = rows.find_campaign(connection, name)
    if found is not None:
        return found
    same = [one for one in rows.list_campaigns(connection) if one.name == name]
    if not same:
        raise NotFound(
            f"there is no campaign {name[:200]!r}",
            code="missing_campaign",
            hint="`ostrya fleet campaign list` lists them",
        )
    if len(same) > 1:
        raise Conflict(
            f"there are {len(same)} campaigns {name}",
            hint=f"say which one: {', '.join(one.id for one in same)}",
        )
    return same[0]


def launch(
    connection: Connection, campaign_id: str, device_ids: Sequence[str], now: int
) -> rows.Campaign:
    """Begin a campaign with devices, or let more of them take part, in the last wave.

    Raises:
        NotFound: There is no such campaign or device.
        Conflict: It was cancelled, or nobody is named.
    """
    found = require(connection, campaign_id)
    if found.state == rows.CANCELLED:
        raise Conflict(f"the campaign {found.name} was cancelled", code="campaign_cancelled")
    known = {one.device_id: one.wave for one in rows.campaign_devices(connection, campaign_id)}
    new = [one for one in dict.fromkeys(device_ids) if one not in known]
    if not new and not known:
        raise Conflict("a campaign is for one device at least", code="campaign_without_devices")
    missing = set(new) - rows.known_devices(connection, new)
    if missing:
        raise NotFound(f"there is no device {min(missing)[:80]!r}", code="missing_device")
    waves = dict.fromkeys(new, max(known.values())) if known else rollouts.plan(found, new)
    members = [
        rows.CampaignDevice(campaign_id, one, rows.WAITING, "", now, waves[one]) for one in new
    ]
    rows.add_campaign_devices(connection, members)
    if found.state != rows.PAUSED:
        values = {"state": rows.LAUNCHED, "wave": max(found.wave, 1)}
        rows.change_campaign(connection, campaign_id, values, now)
    found = require(connection, campaign_id)
    if found.mode == rows.OFFER and found.state == rows.LAUNCHED:
        rows.offer_to_waiting(connection, found, now)
    return found


def begin(
    connection: Connection, offer: Offer, whom: Whom, images: Mapping[str, Image], now: int
) -> rows.Campaign:
    """Make a campaign, and launch it.

    Raises:
        BadRequest: What is wanted is not possible.
        Conflict: Nobody is meant.
        NotFound: There is no such image, device or group.
    """
    made = create(connection, offer, images, now)
    found = list(whom.device_ids)
    for name in whom.groups:
        found += groups.members(connection, name)
    if whom.all_devices:
        found += devices.all_device_ids(connection)
    return launch(connection, made.id, found, now)


def pause(connection: Connection, campaign_id: str, now: int) -> rows.Campaign:
    """Let no more devices begin with a campaign.

    Raises:
        NotFound: There is none.
        Conflict: It is not under way.
    """
    rollouts.pause(connection, require(connection, campaign_id), "its owner paused it", now)
    return require(connection, campaign_id)


def resume(connection: Connection, campaign_id: str, now: int) -> rows.Campaign:
    """Let a campaign go on.

    Raises:
        NotFound: There is none.
        Conflict: It is not paused.
    """
    rollouts.resume(connection, require(connection, campaign_id), now)
    return require(connection, campaign_id)


def cancel(connection: Connection, campaign_id: str, now: int) -> rows.Campaign:
    """End a campaign; who installs already, finishes.

    Raises:
        NotFound: There is none.
    """
    rollouts.withdraw(connection, require(connection, campaign_id), now)
    return require(connection, campaign_id)


def take_answer(
    connection: Connection, answer: Answer, images: Mapping[str, Image], now: int
) -> None:
    """Keep what a device answers; once it accepts, the image is assigned to it."""
    offered = rows.campaigns_for(connection, answer.device_id)
    for campaign, member in offered:
        if campaign.id != answer.campaign_id or member.state not in _ASKED:
            continue
        state, reason = answer.state, ""
        if state == rows.ACCEPTED:
            state, reason = rollouts.give(connection, campaign, answer.device_id, images, now)
        rows.put_campaign_device(
            connection, member._replace(state=state, reason=reason, updated=now)
        )


def offers(connection: Connection, device_id: str) -> Object:
    """Return what a device is told of campaigns."""
    listed: list[Json] = [
        _shown(campaign)
        for campaign, member in rows.campaigns_for(connection, device_id)
        if member.state in {rows.OFFERED, rows.POSTPONED}
    ]
    return {"campaigns": listed}


def _shown(campaign: rows.Campaign) -> Object:
    metadata: list[Json] = []
    if campaign.description:
        metadata.append({"type": "DESCRIPTION", "value": campaign.description})
    for name, seconds in (
        ("ESTIMATED_INSTALLATION_DURATION", campaign.installation_s),
        ("ESTIMATED_PREPARATION_DURATION", campaign.preparation_s),
    ):
        if seconds:
            metadata.append({"type": name, "value": str(seconds)})
    return {
        "id": campaign.id,
        "name": campaign.name,
        "autoAccept": campaign.auto_accept,
        "metadata": metadata,
    }
