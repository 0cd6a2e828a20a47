# SPDX-License-Identifier: Apache-2.0
"""Queries about what happened: events, reports of installations, what devices say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select

from ostrya.fleet.db import schema
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection


class Event(NamedTuple):
    """Something that happened on a device, or to it.

    Attributes:
        id: Its number, growing; 0 before it has one.
        uuid: The device's own name for it, by which it is known again.
        device_id: Of the device.
        received: When we heard of it.
        device_time: What the device's clock said.
        type: What happened.
        ecu: Serial; empty for none.
        correlation_id: Of the update; empty for none.
        success: None where that is not said.
        body: The event as it came, JSON.
    """

    id: int
    uuid: str
    device_id: str
    received: int
    device_time: str
    type: str
    ecu: str
    correlation_id: str
    success: bool | None
    body: str


class Report(NamedTuple):
    """What a device says that an installation came to.

    Attributes:
        id: Its number; 0 before it has one.
        device_id: Of the device.
        received: When.
        correlation_id: Of the update.
        success: Of the whole; None where that is not said.
        code: Of the whole.
        description: Of the whole, in words.
        body: The report as it came, JSON.
    """

    id: int
    device_id: str
    received: int
    correlation_id: str
    success: bool | None
    code: str
    description: str
    body: str


def known_events(connection: Connection, device_id: str, uuids: Iterable[str]) -> set[str]:
    """Return those names of events of a device that were heard of before."""
    table = schema.events
    query = select(table.c.uuid).where(
        table.c.device_id == device_id, table.c.uuid.in_(list(uuids))
    )
    return {str(row[0]) for row in connection.execute(query)}


def add_events(connection: Connection, events: Iterable[Event]) -> None:
    """Keep events, each of which is new."""
    rows = []
    for one in events:
        values = one._asdict()
        del values["id"]
        rows.append(values)
    if rows:
        connection.execute(insert(schema.events), rows)


def list_events(
    connection: Connection, where: Mapping[str, str], *, after: int = 0, limit: int = 100
) -> tuple[Event, ...]:
    """Return events in their order, after one on.

    Args:
        connection: To read by.
        where: Columns that have to have a value: device_id, type, ecu, correlation_id.
        after: Only those with a larger number; negative for the newest, that many.
        limit: How many at most.
    """
    table = schema.events
    query = select(*table.c)
    for column, value in where.items():
        query = query.where(table.c[column] == value)
    if after < 0:
        rows = connection.execute(query.order_by(table.c.id.desc()).limit(min(-after, limit))).all()
        return tuple(Event._make(row) for row in reversed(rows))
    query = query.where(table.c.id > after).order_by(table.c.id).limit(limit)
    return tuple(Event._make(row) for row in connection.execute(query))


def devices_with_more_events(connection: Connection, kept: int) -> tuple[str, ...]:
    """Return the devices of which more events are there than are kept."""
    table = schema.events
    query = select(table.c.device_id).group_by(table.c.device_id).having(func.count() > kept)
    return tuple(str(row[0]) for row in connection.execute(query))


def forget_events(connection: Connection, device_id: str, kept: int) -> None:
    """Forget all events of a device but the newest."""
    table = schema.events
    oldest = (
        select(table.c.id)
        .where(table.c.device_id == device_id)
        .order_by(table.c.id.desc())
        .offset(kept)
        .limit(1)
    ).scalar_subquery()
    connection.execute(delete(table).where(table.c.device_id == device_id, table.c.id <= oldest))


def add_report(connection: Connection, report: Report) -> None:
    """Keep a report."""
    values = report._asdict()
    del values["id"]
    connection.execute(insert(schema.installation_reports).values(**values))


def list_reports(connection: Connection, device_id: str, limit: int = 20) -> tuple[Report, ...]:
    """Return reports of a device, the newest first."""
    table = schema.installation_reports
    query = (
        select(*table.c)
        .where(table.c.device_id == device_id)
        .order_by(table.c.id.desc())
        .limit(limit)
    )
    return tuple(Report._make(row) for row in connection.execute(query))


def put_device_data(connection: Connection, device_id: str, kind: str, body: str, now: int) -> None:
    """Keep what a device says of itself, in place of what it said before."""
    table = schema.device_data
    connection.execute(delete(table).where(table.c.device_id == device_id, table.c.kind == kind))
    connection.execute(
        insert(table).values(device_id=device_id, kind=kind, received=now, body=body)
    )


def device_data(connection: Connection, device_id: str) -> dict[str, tuple[int, str]]:
    """Return what a device said of itself: when and what, by kind."""
    table = schema.device_data
    query = select(table.c.kind, table.c.received, table.c.body).where(
        table.c.device_id == device_id
    )
    return {str(kind): (int(when), str(body)) for kind, when, body in connection.execute(query)}
