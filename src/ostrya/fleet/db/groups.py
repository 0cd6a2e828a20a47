# SPDX-License-Identifier: Apache-2.0
"""Queries about groups of devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select

from ostrya.fleet.db import schema

if TYPE_CHECKING:
    from sqlalchemy import Connection


def add_group(connection: Connection, name: str, now: int) -> None:
    """Make a group."""
    connection.execute(insert(schema.groups).values(name=name, created=now))


def list_groups(connection: Connection) -> tuple[tuple[str, int, int], ...]:
    """Return all groups: name, when they were made, how many devices they have."""
    table, members = schema.groups, schema.group_devices
    query = (
        select(table.c.name, table.c.created, func.count(members.c.device_id))
        .outerjoin(members, members.c.group_name == table.c.name)
        .group_by(table.c.name, table.c.created)
        .order_by(table.c.name)
    )
    return tuple((str(a), int(b), int(c)) for a, b, c in connection.execute(query))


def has_group(connection: Connection, name: str) -> bool:
    """Say whether there is a group."""
    table = schema.groups
    return connection.execute(select(table.c.name).where(table.c.name == name)).first() is not None


def delete_group(connection: Connection, name: str) -> None:
    """Forget a group; its devices stay."""
    connection.execute(delete(schema.groups).where(schema.groups.c.name == name))


def group_members(connection: Connection, name: str) -> tuple[str, ...]:
    """Return the devices of a group."""
    table = schema.group_devices
    query = select(table.c.device_id).where(table.c.group_name == name).order_by(table.c.device_id)
    return tuple(str(row[0]) for row in connection.execute(query))


def groups_of(connection: Connection, device_id: str) -> tuple[str, ...]:
    """Return the groups that a device is in."""
    table = schema.group_devices
    query = (
        select(table.c.group_name)
        .where(table.c.device_id == device_id)
        .order_by(table.c.group_name)
    )
    return tuple(str(row[0]) for row in connection.execute(query))


def join_group(connection: Connection, name: str, device_id: str) -> None:
    """Put a device into a group; nothing changes if it is in it."""
    if name not in groups_of(connection, device_id):
        connection.execute(
            insert(schema.group_devices).values(group_name=name, device_id=device_id)
        )


def leave_group(connection: Connection, name: str, device_id: str) -> None:
    """Take a device out of a group."""
    table = schema.group_devices
    connection.execute(
        delete(table).where(table.c.group_name == name, table.c.device_id == device_id)
    )
