# SPDX-License-Identifier: Apache-2.0
"""Queries about campaigns, and how far their devices are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from ostrya.fleet.db import schema
from ostrya.fleet.db.updates import CLOSED, Assignment
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

DRAFT, LAUNCHED, PAUSED, FINISHED, CANCELLED = (
    "draft", "launched", "paused", "finished", "cancelled",
)  # fmt: skip
STATES = (DRAFT, LAUNCHED, PAUSED, FINISHED, CANCELLED)
WAITING, OFFERED, POSTPONED = "waiting", "offered", "postponed"
AGREED, ACCEPTED = "agreed", "accepted"
DONE, FAILED, DECLINED, SKIPPED, WITHDRAWN = "done", "failed", "declined", "skipped", "withdrawn"
UNDER_WAY = (WAITING, OFFERED, POSTPONED, AGREED, ACCEPTED)
"""States of a device of which something is still to come."""
MEMBER_STATES = (*UNDER_WAY, DONE, FAILED, DECLINED, SKIPPED, WITHDRAWN)
ASSIGN, OFFER = "assign", "offer"
_IDS_AT_ONCE = 500
_NAME = "urn:ostrya:campaign:"


class Campaign(NamedTuple):
    """An update for many devices.

    Attributes:
        id: Its own.
        name: What people call it.
        target: Name of the image.
        description: What the user of a device is told.
        installation_s: How long it takes.
        preparation_s: How long is to be prepared for it.
        auto_accept: Nobody is asked by a device that it is offered to.
        state: One of `STATES`.
        created: When it was made.
        updated: When it changed last.
        mode: Whether it is assigned to devices, or offered to them.
        waves: What share of the devices has it after each wave, parted by commas.
        wave: Which one has begun last; 0 for none.
        failures: How many of a wave may not fail; empty for any.
        advance: What percentage of a wave has to have it before the next begins.
        counted_from: Since when failures count.
        reason: Why it is paused.
    """

    id: str
    name: str
    target: str
    description: str
    installation_s: int
    preparation_s: int
    auto_accept: bool
    state: str
    created: int
    updated: int
    mode: str = OFFER
    waves: str = ""
    wave: int = 0
    failures: str = ""
    advance: int = 100
    counted_from: int = 0
    reason: str = ""

    @property
    def correlation_id(self) -> str:
        """What its assignments are called."""
        return f"{_NAME}{self.id}"


class CampaignDevice(NamedTuple):
    """A device of a campaign.

    Attributes:
        campaign_id: Of the campaign.
        device_id: Of the device.
        state: One of `MEMBER_STATES`.
        reason: Why it failed, or has to wait.
        updated: When it changed last.
        wave: When its turn comes.
    """

    campaign_id: str
    device_id: str
    state: str
    reason: str
    updated: int
    wave: int = 1


class Count(NamedTuple):
    """How many devices of a wave are in a state.

    Attributes:
        wave: Which one.
        state: Which one.
        size: How many.
        failed_lately: How many of them failed since failures count.
    """

    wave: int
    state: str
    size: int
    failed_lately: int


_COLUMNS = tuple(schema.campaigns.c[name] for name in Campaign._fields)


def id_in(correlation_id: str) -> str:
    """Return of which campaign an assignment is; empty for none."""
    return correlation_id.removeprefix(_NAME) if correlation_id.startswith(_NAME) else ""


def add_campaign(connection: Connection, campaign: Campaign) -> None:
    """Add a campaign."""
    connection.execute(insert(schema.campaigns).values(**campaign._asdict()))


def find_campaign(connection: Connection, campaign_id: str) -> Campaign | None:
    """Return a campaign; None if there is none."""
    table = schema.campaigns
    row = connection.execute(select(*_COLUMNS).where(table.c.id == campaign_id)).first()
    return Campaign._make(row) if row else None


def list_campaigns(connection: Connection, state: str = "") -> tuple[Campaign, ...]:
    """Return all campaigns, or those in a state; the newest first."""
    table = schema.campaigns
    query = select(*_COLUMNS).order_by(table.c.created.desc(), table.c.id)
    if state:
        query = query.where(table.c.state == state)
    return tuple(Campaign._make(row) for row in connection.execute(query))


def change_campaign(
    connection: Connection, campaign_id: str, values: Mapping[str, object], now: int
) -> None:
    """Change columns of a campaign."""
    table = schema.campaigns
    connection.execute(update(table).where(table.c.id == campaign_id).values(updated=now, **values))


def put_campaign_device(connection: Connection, member: CampaignDevice) -> None:
    """Keep how far a device of a campaign is."""
    table = schema.campaign_devices
    connection.execute(
        delete(table).where(
            table.c.campaign_id == member.campaign_id, table.c.device_id == member.device_id
        )
    )
    connection.execute(insert(table).values(**member._asdict()))


def add_campaign_devices(connection: Connection, members: Sequence[CampaignDevice]) -> None:
    """Let devices take part, each of which is new."""
    if members:
        connection.execute(insert(schema.campaign_devices), [one._asdict() for one in members])


def move_campaign_devices(
    connection: Connection, campaign_id: str, where: Mapping[str, object], state: str, now: int
) -> None:
    """Let all devices of a campaign that are in a state, or a wave, be in another state."""
    table = schema.campaign_devices
    query = update(table).where(table.c.campaign_id == campaign_id)
    for column, value in where.items():
        query = query.where(table.c[column] == value)
    connection.execute(query.values(state=state, reason="", updated=now))


def offer_to_waiting(connection: Connection, campaign: Campaign, now: int) -> int:
    """Offer a campaign to all whose turn it is; return to how many."""
    table = schema.campaign_devices
    done = connection.execute(
        update(table)
        .where(
            table.c.campaign_id == campaign.id,
            table.c.state == WAITING,
            table.c.wave <= campaign.wave,
        )
        .values(state=OFFERED, reason="", updated=now)
    )
    return int(done.rowcount)


def known_devices(connection: Connection, device_ids: Sequence[str]) -> set[str]:
    """Return those of some devices that there are."""
    found: set[str] = set()
    for at in range(0, len(device_ids), _IDS_AT_ONCE):
        part = device_ids[at : at + _IDS_AT_ONCE]
        query = select(schema.devices.c.id).where(schema.devices.c.id.in_(part))
        found |= {str(row[0]) for row in connection.execute(query)}
    return found


def campaign_devices(
    connection: Connection,
    campaign_id: str,
    where: Mapping[str, object] | None = None,
    *,
    after: str = "",
    limit: int | None = None,
) -> tuple[CampaignDevice, ...]:
    """Return devices of a campaign in the order of their ids.

    Args:
        connection: To read by.
        campaign_id: Of the campaign.
        where: Columns that have to have a value: state, wave, device_id.
        after: Only those with a later id.
        limit: How many at most; None for all.
    """
    table = schema.campaign_devices
    columns = (table.c[name] for name in CampaignDevice._fields)
    query = select(*columns).where(table.c.campaign_id == campaign_id, table.c.device_id > after)
    for column, value in (where or {}).items():
        query = query.where(table.c[column] == value)
    query = query.order_by(table.c.device_id).limit(limit)
    return tuple(CampaignDevice._make(row) for row in connection.execute(query))


def next_campaign_devices(
    connection: Connection, campaign: Campaign, tried_before: int, limit: int
) -> tuple[CampaignDevice, ...]:
    """Return devices that may get it now, and were not tried in vain a moment ago."""
    state = WAITING if campaign.mode == ASSIGN else AGREED
    table = schema.campaign_devices
    columns = (table.c[name] for name in CampaignDevice._fields)
    query = (
        select(*columns)
        .where(
            table.c.campaign_id == campaign.id,
            table.c.state == state,
            table.c.wave <= campaign.wave,
            (table.c.reason == "") | (table.c.updated <= tried_before),
        )
        .order_by(table.c.wave, table.c.device_id)
        .limit(limit)
    )
    return tuple(CampaignDevice._make(row) for row in connection.execute(query))


def count_campaign_devices(connection: Connection, campaign: Campaign) -> tuple[Count, ...]:
    """Return how many devices of each wave are in each state."""
    table = schema.campaign_devices
    lately = func.count().filter(table.c.state == FAILED, table.c.updated >= campaign.counted_from)
    query = (
        select(table.c.wave, table.c.state, func.count(), lately)
        .where(table.c.campaign_id == campaign.id)
        .group_by(table.c.wave, table.c.state)
        .order_by(table.c.wave, table.c.state)
    )
    return tuple(Count._make(row) for row in connection.execute(query))


def campaigns_for(
    connection: Connection, device_id: str
) -> tuple[tuple[Campaign, CampaignDevice], ...]:
    """Return the campaigns that are launched for a device, and how far it is with each."""
    table, members = schema.campaigns, schema.campaign_devices
    columns = tuple(members.c[name] for name in CampaignDevice._fields)
    width = len(Campaign._fields)
    query = (
        select(*_COLUMNS)
        .add_columns(*columns)
        .join(members, members.c.campaign_id == table.c.id)
        .where(members.c.device_id == device_id, table.c.state == LAUNCHED)
        .order_by(table.c.created, table.c.id)
    )
    return tuple(
        (Campaign._make(row[:width]), CampaignDevice._make(row[width:]))
        for row in connection.execute(query)
    )


def devices_with_results(connection: Connection, campaign: Campaign) -> tuple[str, ...]:
    """Return devices that are under way, and of whose assignments one was closed."""
    table, members = schema.assignments, schema.campaign_devices
    query = (
        select(members.c.device_id)
        .join(table, table.c.device_id == members.c.device_id)
        .where(
            members.c.campaign_id == campaign.id,
            members.c.state == ACCEPTED,
            table.c.correlation_id == campaign.correlation_id,
            table.c.state.in_(CLOSED),
        )
        .distinct()
        .order_by(members.c.device_id)
    )
    return tuple(str(row[0]) for row in connection.execute(query))


def assignments_of_campaign(
    connection: Connection, campaign: Campaign, states: Sequence[str]
) -> tuple[Assignment, ...]:
    """Return the assignments of a campaign that are in one of some states."""
    table = schema.assignments
    query = (
        select(*table.c)
        .where(table.c.correlation_id == campaign.correlation_id, table.c.state.in_(list(states)))
        .order_by(table.c.id)
    )
    return tuple(Assignment._make(row) for row in connection.execute(query))
