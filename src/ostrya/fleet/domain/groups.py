# SPDX-License-Identifier: Apache-2.0
"""Groups of devices: names by which many are meant at once. A device may be in several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.fleet.db import groups as rows
from ostrya.fleet.domain import devices
from ostrya.fleet.domain.assignments import check_name
from ostrya.fleet.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def add(connection: Connection, name: str, now: int) -> None:
    """Make a group.

    Raises:
        BadRequest: It cannot be called so.
        Conflict: There is one of that name.
    """
    check_name(name, "the name of the group")
    if rows.has_group(connection, name):
        raise Conflict(f"there is a group {name} already", code="group_exists")
    rows.add_group(connection, name, now)


def members(connection: Connection, name: str) -> tuple[str, ...]:
    """Return the devices of a group.

    Raises:
        NotFound: There is none.
    """
    require(connection, name)
    return rows.group_members(connection, name)


def require(connection: Connection, name: str) -> None:
    """Refuse a group that is not there.

    Raises:
        NotFound: There is none.
    """
    if not rows.has_group(connection, name):
        raise NotFound(
            f"there is no group {name[:200]!r}",
            code="missing_group",
            hint="`ostrya fleet group list` lists them",
        )


def join(connection: Connection, name: str, device_ids: Sequence[str]) -> None:
    """Put devices into a group, all or none; nothing changes for those that are in it.

    Raises:
        NotFound: There is no such group or device.
    """
    require(connection, name)
    for one in device_ids:
        devices.require(connection, one)
        rows.join_group(connection, name, one)


def extend(connection: Connection, name: str, device_ids: Sequence[str], now: int) -> int:
    """Put devices into a group, which is made if it is not there; return how many it has then.

    Raises:
        Conflict: No devices are named, and there is a group of that name.
        NotFound: There is no such device.
    """
    if not device_ids or not rows.has_group(connection, name):
        add(connection, name, now)
    join(connection, name, device_ids)
    return len(rows.group_members(connection, name))


def leave(connection: Connection, name: str, device_ids: Sequence[str]) -> None:
    """Take devices out of a group, all or none.

    Raises:
        NotFound: There is no such group, or a device is not in it.
    """
    known = set(members(connection, name))
    for one in device_ids:
        if one not in known:
            raise NotFound(f"{one[:80]!r} is not in the group {name}", code="missing_device")
        rows.leave_group(connection, name, one)


def remove(connection: Connection, name: str) -> None:
    """Forget a group; its devices stay.

    Raises:
        NotFound: There is none.
    """
    require(connection, name)
    rows.delete_group(connection, name)
