# SPDX-License-Identifier: Apache-2.0
"""Requests about images and assignments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.fleet.api import views
from ostrya.fleet.api.devices import LIMIT
from ostrya.fleet.api.messages import number_of
from ostrya.fleet.api.routes import Parameter, Spec, done, following, text, texts
from ostrya.fleet.api.schemas import NUMBER, TEXT, listing, opened
from ostrya.fleet.db import updates
from ostrya.fleet.domain import assignments, groups
from ostrya.fleet.errors import BadRequest, NotFound
from ostrya.uptane.author.images import About

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ostrya.fleet.api.routes import Call
    from ostrya.uptane.metadata.fields import Fields
    from ostrya.uptane.metadata.json_text import Json, Object

_FILTERS = {
    "device": "device_id",
    "ecu": "ecu",
    "target": "target",
    "correlation_id": "correlation_id",
    "state": "state",
}


# ------------------------------------------------------------------------------- images


def _targets(call: Call) -> Json:
    found = call.services.images.all_images()
    return {"targets": [views.target(name, found[name]) for name in sorted(found)]}


def _target(call: Call) -> Json:
    name = call.path["name"]
    found = call.services.images.all_images().get(name)
    if found is None:
        raise NotFound(f"there is no image {name[:200]!r}", code="missing_target")
    return views.target(name, found)


def _add_target(call: Call) -> Json:
    fields = call.fields()
    name, commit = text(fields, "name"), text(fields, "commit")
    about = read_about(fields)
    done(fields)
    now = call.services.fleet.now()
    image = call.services.images.add(name, commit, about, now, is_commit=True)
    return views.target(name, image)


def read_about(fields: Fields) -> About:
    """Take what is said of an image beside its bytes."""
    counter = fields.integer("release_counter") if fields.has("release_counter") else None
    return About(
        texts(fields, "hardware_ids", 100),
        version=text(fields, "version", ""),
        release_counter=counter,
        uri=text(fields, "uri", ""),
    )


def _remove_target(call: Call) -> Json:
    call.services.images.remove(call.path["name"], call.services.fleet.now())
    return None


# -------------------------------------------------------------------------- assignments


def _assignments(call: Call) -> Json:
    where = {_FILTERS[name]: value for name, value in call.query.items() if name in _FILTERS}
    limit, before = call.limit, number_of(call.query, "after", 0)
    with call.services.fleet.database.read() as connection:
        found = updates.list_assignments(connection, where, before=before, limit=limit)
    last = str(found[-1].id) if found else ""
    shown: list[Json] = [views.assignment(one) for one in found]
    return {"assignments": shown, "next": following(found, limit, last)}


def _assign(call: Call) -> Json:
    fields = call.fields()
    target, ecus = text(fields, "target"), texts(fields, "ecus")
    correlation_id = text(fields, "correlation_id", "") or assignments.new_correlation_id()
    uri = text(fields, "uri", "")
    named, group = texts(fields, "devices"), text(fields, "group", "")
    done(fields)
    images, now = call.services.images.all_images(), call.services.fleet.timestamp()

    def assign(connection: Connection) -> list[updates.Assignment]:
        added: list[updates.Assignment] = []
        for device_id in meant(connection, named, group):
            wanted = assignments.Wanted(device_id, target, ecus, correlation_id, uri)
            added += assignments.assign(connection, wanted, images, now)
        return added

    # All of them or none: each is refused as a part of the whole.
    found = call.services.fleet.database.write(assign)
    return {"assignments": [views.assignment(one) for one in found]}


def meant(connection: Connection, named: tuple[str, ...], group: str) -> tuple[str, ...]:
    """Return the devices that are named, and those of a group."""
    members = groups.members(connection, group) if group else ()
    found = tuple(dict.fromkeys((*named, *members)))
    if not found:
        raise BadRequest("no device is named", hint="`devices` or `group` names them")
    return found


def _cancel(call: Call) -> Json:
    fields = call.fields()
    device_id, ecus = text(fields, "device"), texts(fields, "ecus")
    done(fields)
    now = call.services.fleet.timestamp()
    found = call.services.fleet.database.write(
        lambda connection: assignments.cancel(connection, device_id, ecus, now)
    )
    return {"assignments": [views.assignment(one) for one in found]}


WHO: Object = {"devices": listing(TEXT), "group": TEXT}
_IMAGE: Object = {
    "name": TEXT, "commit": TEXT, "hardware_ids": listing(TEXT), "version": TEXT,
    "release_counter": NUMBER, "uri": TEXT,
}  # fmt: skip
SPECS = (
    Spec("GET", "/targets", "listTargets", "List images that are published", _targets, "Targets"),
    Spec(
        "POST", "/targets", "addTarget",
        "Publish an image that is a commit, where the keys of Targets are on the server",
        _add_target, "Target", opened(_IMAGE, "name", "commit", "hardware_ids"), status=201,
    ),
    Spec("GET", "/targets/{name:path}", "showTarget", "Show an image", _target, "Target"),
    Spec(
        "DELETE", "/targets/{name:path}", "removeTarget", "Publish an image no more",
        _remove_target, status=204,
    ),
    Spec(
        "GET", "/assignments", "listAssignments", "List assignments, the newest first",
        _assignments, "AssignmentPage",
        query=(
            Parameter("after", "`next` of the answer before", is_number=True), LIMIT,
            *(Parameter(name, f"Only those with this {name}") for name in _FILTERS),
        ),
    ),
    Spec(
        "POST", "/assignments", "assign", "Say what devices shall run: all of them, or none",
        _assign, "Assignments",
        opened(
            {**WHO, "target": TEXT, "ecus": listing(TEXT), "correlation_id": TEXT, "uri": TEXT},
            "target",
        ),
        status=201,
    ),
    Spec(
        "POST", "/assignments/cancel", "cancel", "Take back what a device shall run", _cancel,
        "Assignments", opened({"device": TEXT, "ecus": listing(TEXT)}, "device"),
    ),
)  # fmt: skip
