# SPDX-License-Identifier: Apache-2.0
"""Queries about assignments, and what the Director signed for each vehicle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from ostrya.fleet.db import schema
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

PENDING, DOWNLOADING, INSTALLING, APPLIED = "pending", "downloading", "installing", "applied"
DONE, FAILED, CANCELLED = "done", "failed", "cancelled"
OPEN = (PENDING, DOWNLOADING, INSTALLING, APPLIED)
"""States in which something is still to come, in the order that they follow each other."""
CLOSED = (DONE, FAILED, CANCELLED)


class Assignment(NamedTuple):
    """An image that an ECU shall run.

    Attributes:
        id: Its number; 0 before it has one.
        device_id: Of the device.
        ecu: Serial of the ECU.
        hardware_id: What kind that is.
        target: Name of the image.
        length: How many bytes it has.
        sha256: Its digest.
        uri: Where it is, if not at its usual place.
        correlation_id: What the update is called in all reports.
        state: How far it is.
        code: Of its result; empty for none yet.
        reason: Why it failed, or what is being waited for.
        created: When it was made.
        updated: When something changed last.
    """

    id: int
    device_id: str
    ecu: str
    hardware_id: str
    target: str
    length: int
    sha256: str
    uri: str
    correlation_id: str
    state: str
    code: str
    reason: str
    created: int
    updated: int


class DirectorFile(NamedTuple):
    """What the Director signed for a vehicle.

    Attributes:
        role: Targets, snapshot or timestamp.
        version: Its own.
        root_version: Of the root whose keys signed it.
        expires: Until when it is to be believed.
        data: The file.
    """

    role: str
    version: int
    root_version: int
    expires: int
    data: bytes


# -------------------------------------------------------------------------- assignments


def add_assignment(connection: Connection, assignment: Assignment) -> int:
    """Add one, and return its number."""
    values = assignment._asdict()
    del values["id"]
    done = connection.execute(insert(schema.assignments).values(**values))
    key = done.inserted_primary_key
    return int(key[0]) if key else 0


def open_assignments(connection: Connection, device_id: str) -> tuple[Assignment, ...]:
    """Return what is still to come for a device, the oldest first."""
    table = schema.assignments
    query = (
        select(*table.c)
        .where(table.c.device_id == device_id, table.c.state.in_(OPEN))
        .order_by(table.c.id)
    )
    return tuple(Assignment._make(row) for row in connection.execute(query))


def open_assignments_of(
    connection: Connection, device_ids: Sequence[str]
) -> tuple[Assignment, ...]:
    """Return what is still to come for some devices, the oldest first."""
    table = schema.assignments
    query = (
        select(*table.c)
        .where(table.c.device_id.in_(device_ids), table.c.state.in_(OPEN))
        .order_by(table.c.id)
    )
    return tuple(Assignment._make(row) for row in connection.execute(query))


def list_assignments(
    connection: Connection, where: Mapping[str, str], *, before: int = 0, limit: int = 100
) -> tuple[Assignment, ...]:
    """Return assignments, the newest first.

    Args:
        connection: To read by.
        where: Columns that have to have a value: device_id, ecu, target, correlation_id, state.
        before: Only those with a smaller number; 0 for all.
        limit: How many at most.
    """
    table = schema.assignments
    query = select(*table.c).order_by(table.c.id.desc()).limit(limit)
    for column, value in where.items():
        query = query.where(table.c[column] == value)
    if before:
        query = query.where(table.c.id < before)
    return tuple(Assignment._make(row) for row in connection.execute(query))


def last_assignments(connection: Connection, ecus: Sequence[str]) -> dict[str, Assignment]:
    """Return the newest assignment of each of some ECUs."""
    table = schema.assignments
    newest = (
        select(func.max(table.c.id)).where(table.c.ecu.in_(list(ecus))).group_by(table.c.ecu)
    ).scalar_subquery()
    query = select(*table.c).where(table.c.id.in_(newest))
    return {row.ecu: Assignment._make(row) for row in connection.execute(query)}


def change_assignment(connection: Connection, number: int, values: Mapping[str, object]) -> None:
    """Change columns of an assignment."""
    table = schema.assignments
    connection.execute(update(table).where(table.c.id == number).values(**values))


def count_assignments(connection: Connection) -> dict[str, int]:
    """Return how many assignments are in each state."""
    table = schema.assignments
    query = select(table.c.state, func.count()).group_by(table.c.state)
    return {str(state): int(count) for state, count in connection.execute(query)}


# ------------------------------------------------------------------- what the Director signed


def director_files(connection: Connection, device_id: str) -> dict[str, DirectorFile]:
    """Return what was signed for a vehicle last, by role."""
    table = schema.director_files
    columns = (table.c[name] for name in DirectorFile._fields)
    query = select(*columns).where(table.c.device_id == device_id)
    return {row.role: DirectorFile._make(row) for row in connection.execute(query)}


def put_director_file(connection: Connection, device_id: str, file: DirectorFile) -> None:
    """Keep what was signed, in place of what was before."""
    table = schema.director_files
    key = (table.c.device_id == device_id, table.c.role == file.role)
    done = connection.execute(update(table).where(*key).values(**file._asdict()))
    if not done.rowcount:
        connection.execute(insert(table).values(device_id=device_id, **file._asdict()))


def devices_to_sign_for(
    connection: Connection, expires_before: int, root_version: int, limit: int
) -> tuple[str, ...]:
    """Return vehicles of which something expires soon, or was signed under another root."""
    table = schema.director_files
    query = (
        select(table.c.device_id)
        .where((table.c.expires < expires_before) | (table.c.root_version != root_version))
        .distinct()
        .limit(limit)
    )
    return tuple(str(row[0]) for row in connection.execute(query))


def let_all_files_expire(connection: Connection, version: int) -> int:
    """Have all vehicles signed for anew, beyond a version; return how many files that concerns."""
    table = schema.director_files
    connection.execute(update(table).where(table.c.version < version).values(version=version))
    return int(connection.execute(update(table).values(expires=0)).rowcount)
