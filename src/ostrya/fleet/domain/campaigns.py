# SPDX-License-Identifier: Apache-2.0
"""Campaigns: an update that devices are offered, and get once they accept it.

::

    GET /campaigner/campaigns → {"campaigns": [{"id", "name", "autoAccept", "metadata": […]}]}
    events campaign_accepted, campaign_declined, campaign_postponed with a campaignId

Source: aktualizr's Campaign.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from ostrya.fleet.db import devices, updates
from ostrya.fleet.domain import assignments
from ostrya.fleet.errors import Conflict, NotFound, Refusal
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from ostrya.uptane.metadata.json_text import Json, Object
    from ostrya.uptane.metadata.targets import Image

DRAFT, LAUNCHED, CANCELLED = "draft", "launched", "cancelled"
OFFERED, ACCEPTED, DECLINED, POSTPONED, FAILED = (
    "offered", "accepted", "declined", "postponed", "failed",
)  # fmt: skip
ANSWERS = {
    "campaign_accepted": ACCEPTED,
    "campaign_declined": DECLINED,
    "campaign_postponed": POSTPONED,
}


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
        auto_accept: Nobody is asked.
    """

    name: str
    target: str
    description: str = ""
    installation_s: int = 0
    preparation_s: int = 0
    auto_accept: bool = False


def create(
    connection: Connection, offer: Offer, images: Mapping[str, Image], now: int
) -> updates.Campaign:
    """Make a campaign, which no device hears of yet.

    Raises:
        NotFound: There is no such image.
    """
    assignments.check_name(offer.name, "the name of the campaign")
    if offer.target not in images:
        raise NotFound(f"there is no image {offer.target[:200]!r}", code="missing_target")
    campaign = updates.Campaign(
        str(uuid.uuid4()), offer.name, offer.target, offer.description, offer.installation_s,
        offer.preparation_s, offer.auto_accept, DRAFT, now, now,
    )  # fmt: skip
    updates.add_campaign(connection, campaign)
    return campaign


def require(connection: Connection, campaign_id: str) -> updates.Campaign:
    """Return a campaign.

    Raises:
        NotFound: There is none.
    """
    found = updates.find_campaign(connection, campaign_id)
    if found is None:
        raise NotFound(f"there is no campaign {campaign_id[:80]!r}", code="missing_campaign")
    return found


def launch(
    connection: Connection, campaign_id: str, device_ids: Sequence[str], now: int
) -> updates.Campaign:
    """Offer a campaign to devices, more of them if it is offered already.

    Raises:
        NotFound: There is no such campaign or device.
        Conflict: It was cancelled, or nobody is named.
    """
    found = require(connection, campaign_id)
    if found.state == CANCELLED:
        raise Conflict(f"the campaign {found.name} was cancelled", code="campaign_cancelled")
    known = {one.device_id for one in updates.campaign_devices(connection, campaign_id)}
    new = [one for one in dict.fromkeys(device_ids) if one not in known]
    if not new and not known:
        raise Conflict("a campaign is for one device at least", code="campaign_without_devices")
    for one in new:
        if devices.find_device(connection, one) is None:
            raise NotFound(f"there is no device {one[:80]!r}", code="missing_device")
        member = updates.CampaignDevice(campaign_id, one, OFFERED, "", now)
        updates.put_campaign_device(connection, member)
    updates.set_campaign_state(connection, campaign_id, LAUNCHED, now)
    return require(connection, campaign_id)


def cancel(connection: Connection, campaign_id: str, now: int) -> updates.Campaign:
    """Offer a campaign no more; what was accepted stays assigned.

    Raises:
        NotFound: There is none.
    """
    require(connection, campaign_id)
    updates.set_campaign_state(connection, campaign_id, CANCELLED, now)
    return require(connection, campaign_id)


def take_answer(
    connection: Connection, answer: Answer, images: Mapping[str, Image], now: int
) -> None:
    """Keep what a device answers; once it accepts, the image is assigned to it."""
    offered = updates.campaigns_for(connection, answer.device_id)
    for campaign, member in offered:
        if campaign.id != answer.campaign_id or member.state == ACCEPTED:
            continue
        state, reason = answer.state, ""
        if state == ACCEPTED:
            name = f"urn:ostrya:campaign:{campaign.id}"
            wanted = assignments.Wanted(answer.device_id, campaign.target, correlation_id=name)
            try:
                assignments.assign(connection, wanted, images, now)
            except Refusal as exc:
                state, reason = FAILED, exc.message
        updates.put_campaign_device(
            connection,
            updates.CampaignDevice(campaign.id, answer.device_id, state, reason, now),
        )


def offers(connection: Connection, device_id: str) -> Object:
    """Return what a device is told of campaigns."""
    listed: list[Json] = [
        _shown(campaign)
        for campaign, member in updates.campaigns_for(connection, device_id)
        if member.state in {OFFERED, POSTPONED}
    ]
    return {"campaigns": listed}


def _shown(campaign: updates.Campaign) -> Object:
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
