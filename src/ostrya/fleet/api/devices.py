# SPDX-License-Identifier: Apache-2.0
"""Requests about devices and groups of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.fleet.api import views
from ostrya.fleet.api.messages import text_of
from ostrya.fleet.api.routes import Parameter, Spec, done, following, number, text
from ostrya.fleet.api.schemas import NUMBER, TEXT, opened
from ostrya.fleet.db import devices as rows
from ostrya.fleet.db import log
from ostrya.fleet.db.groups import list_groups
from ostrya.fleet.domain import devices, groups

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from ostrya.fleet.api.routes import Call
    from ostrya.fleet.certificates import Identity
    from ostrya.uptane.metadata.json_text import Json, Object

_USUAL_DAYS = 36000
AFTER = Parameter("after", "Only what comes after this one: `next` of the answer before")
LIMIT = Parameter("limit", "How many at most, up to 1000; usually 100", is_number=True)


def _list(call: Call) -> Json:
    limit = call.limit
    with call.services.fleet.database.read() as connection:
        found = rows.list_devices(
            connection,
            after=text_of(call.query, "after"),
            limit=limit,
            group=text_of(call.query, "group"),
            search=text_of(call.query, "search"),
        )
        shown: list[Json] = [views.device(one) for one in devices.overview(connection, found)]
    return {"devices": shown, "next": following(found, limit, found[-1].id if found else "")}


def _add(call: Call) -> Json:
    fields = call.fields()
    device_id, days = text(fields, "id"), number(fields, "days", _USUAL_DAYS)
    done(fields)
    return _credentials(call, devices.provision(call.services.fleet, device_id, days))


def _renew(call: Call) -> Json:
    fields = call.fields()
    days = number(fields, "days", _USUAL_DAYS)
    done(fields)
    return _credentials(call, devices.renew(call.services.fleet, call.path["device"], days))


def _credentials(call: Call, identity: Identity) -> Object:
    authority = call.services.fleet.authority
    return {
        "serial": identity.serial,
        "certificate": identity.certificate_pem().decode(),
        "key": identity.key_pem().decode(),
        "authority": authority.certificate_pem().decode(),
    }


def _show(call: Call) -> Json:
    with call.services.fleet.database.read() as connection:
        return views.details(devices.details(connection, call.path["device"]))


def _remove(call: Call) -> Json:
    now = call.services.fleet.timestamp()
    call.services.fleet.database.write(
        lambda connection: devices.remove(connection, call.path["device"], now)
    )
    return None


def _revoke(call: Call) -> Json:
    fields = call.fields()
    reason = text(fields, "reason", "the owner said so")
    done(fields)
    now = call.services.fleet.timestamp()
    count = call.services.fleet.database.write(
        lambda connection: devices.revoke(connection, call.path["device"], reason, now)
    )
    return {"revoked": count}


def _ecus(call: Call) -> Json:
    with call.services.fleet.database.read() as connection:
        devices.require(connection, call.path["device"])
        found = rows.list_ecus(connection, call.path["device"])
    return {"ecus": [views.ecu(one) for one in found]}


def _data(call: Call) -> Json:
    with call.services.fleet.database.read() as connection:
        devices.require(connection, call.path["device"])
        return views.data(log.device_data(connection, call.path["device"]))


# ------------------------------------------------------------------------------- groups


def _groups(call: Call) -> Json:
    with call.services.fleet.database.read() as connection:
        found = list_groups(connection)
    return {"groups": [views.group(one) for one in found]}


def _add_group(call: Call) -> Json:
    fields = call.fields()
    name = text(fields, "name")
    done(fields)
    now = call.services.fleet.timestamp()
    call.services.fleet.database.write(lambda connection: groups.add(connection, name, now))
    return {"name": name, "devices": []}


def _group(call: Call) -> Json:
    with call.services.fleet.database.read() as connection:
        return _members(connection, call.path["group"])


def _members(connection: Connection, name: str) -> Object:
    return {"name": name, "devices": list(groups.members(connection, name))}


def _remove_group(call: Call) -> Json:
    name = call.path["group"]
    call.services.fleet.database.write(lambda connection: groups.remove(connection, name))
    return None


def _join(call: Call) -> Json:
    return _change_members(call, groups.join)


def _leave(call: Call) -> Json:
    def leave(connection: Connection, name: str, device_ids: Sequence[str]) -> None:
        # Who was not in it is not in it: what is asked for is so.
        if device_ids[0] in groups.members(connection, name):
            groups.leave(connection, name, device_ids)

    return _change_members(call, leave)


def _change_members(call: Call, deed: Callable[[Connection, str, Sequence[str]], None]) -> Json:
    name = call.path["group"]

    def change(connection: Connection) -> Object:
        deed(connection, name, (call.path["device"],))
        return _members(connection, name)

    return call.services.fleet.database.write(change)


_DAYS = opened({"days": NUMBER})
SPECS = (
    Spec(
        "GET", "/devices", "listDevices", "List devices in the order of their ids", _list,
        "Devices",
        query=(
            AFTER, LIMIT,
            Parameter("group", "Only devices of this group"),
            Parameter("search", "Only devices whose ids have this in them"),
        ),
    ),
    Spec(
        "POST", "/devices", "addDevice", "Register a device, and make a certificate for it", _add,
        "DeviceCredentials", opened({"id": TEXT, "days": NUMBER}, "id"), status=201,
    ),
    Spec(
        "GET", "/devices/{device}", "showDevice", "Show all that is known of a device", _show,
        "DeviceDetails",
    ),
    Spec(
        "DELETE", "/devices/{device}", "removeDevice",
        "Trust a device's certificates no more, and forget all else of it", _remove, status=204,
    ),
    Spec(
        "POST", "/devices/{device}/revoke", "revokeDevice",
        "Trust a device's certificates no more", _revoke, "Revoked", opened({"reason": TEXT}),
    ),
    Spec(
        "POST", "/devices/{device}/certificates", "renewDevice",
        "Give a device another certificate", _renew, "DeviceCredentials", _DAYS, status=201,
    ),
    Spec("GET", "/devices/{device}/ecus", "listEcus", "List a device's ECUs", _ecus, "Ecus"),
    Spec(
        "GET", "/devices/{device}/data", "showDeviceData", "Show what a device says of itself",
        _data, "DeviceData",
    ),
    Spec("GET", "/groups", "listGroups", "List groups", _groups, "Groups"),
    Spec(
        "POST", "/groups", "addGroup", "Make a group", _add_group, "Members",
        opened({"name": TEXT}, "name"), status=201,
    ),
    Spec("GET", "/groups/{group}", "showGroup", "List the devices of a group", _group, "Members"),
    Spec(
        "DELETE", "/groups/{group}", "removeGroup", "Forget a group; its devices stay",
        _remove_group, status=204,
    ),
    Spec(
        "PUT", "/groups/{group}/devices/{device}", "joinGroup", "Put a device into a group", _join,
        "Members",
    ),
    Spec(
        "DELETE", "/groups/{group}/devices/{device}", "leaveGroup", "Take a device out of a group",
        _leave, "Members",
    ),
)  # fmt: skip
