# SPDX-License-Identifier: Apache-2.0
"""What the domain knows, as JSON: the same for tools over HTTP and for ``--json``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ostrya.fleet.domain.assignments import kind_of
from ostrya.uptane.metadata.custom import hardware_ids_of, release_counter_of
from ostrya.uptane.metadata.fields import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ostrya.fleet.db.campaigns import Campaign, CampaignDevice, Count
    from ostrya.fleet.db.devices import Certificate, Ecu
    from ostrya.fleet.db.log import Event, Report
    from ostrya.fleet.db.tokens import Token
    from ostrya.fleet.db.updates import Assignment
    from ostrya.fleet.domain.devices import Details, Overview
    from ostrya.fleet.domain.status import Status
    from ostrya.uptane.metadata.json_text import Json, Object
    from ostrya.uptane.metadata.targets import Image


def moment(seconds: int | None) -> str | None:
    """Return a time as text; None for never."""
    if seconds is None:
        return None
    return format_time(datetime.fromtimestamp(seconds, UTC))


def device(one: Overview) -> Object:
    """Return a device as in a list."""
    ecus: list[Json] = [ecu(each) for each in one.ecus]
    return {
        "id": one.device.id,
        "state": one.state,
        "created": moment(one.device.created),
        "last_seen": moment(one.device.last_seen),
        "primary": one.device.primary_serial or None,
        "attacks": one.device.attacks or None,
        "ecus": ecus,
        "assignments": [assignment(each) for each in one.open],
    }


def ecu(one: Ecu) -> Object:
    """Return an ECU."""
    image: Object | None = None
    if one.reported is not None and one.image:
        image = {"name": one.image, "length": one.image_length, "sha256": one.image_sha256}
    return {
        "serial": one.serial,
        "hardware_id": one.hardware_id,
        "image": image,
        "reported": moment(one.reported),
    }


def details(one: Details) -> Object:
    """Return all that is known of a device."""
    return {
        **device(one.overview),
        "groups": list(one.groups),
        "certificates": [certificate(each) for each in one.certificates],
        "history": [assignment(each) for each in one.history],
        "reports": [report(each) for each in one.reports],
        "data": data(one.data),
    }


def data(known: Mapping[str, tuple[int, str]]) -> Object:
    """Return what a device says of itself."""
    return {
        kind: {"received": moment(when), "value": _value(kind, body)}
        for kind, (when, body) in known.items()
    }


def token(one: Token) -> Object:
    """Return to whom a secret was given."""
    return {
        "name": one.name,
        "may": one.may,
        "created": moment(one.created),
        "revoked": moment(one.revoked),
    }


def _value(kind: str, body: str) -> Json:
    if kind == "config":
        return body
    found: Json = json.loads(body)
    return found


def certificate(one: Certificate) -> Object:
    """Return a certificate."""
    return {
        "serial": one.serial,
        "name": one.name,
        "purpose": one.purpose,
        "created": moment(one.created),
        "expires": moment(one.expires or None),
        "revoked": moment(one.revoked),
        "reason": one.reason or None,
    }


def assignment(one: Assignment) -> Object:
    """Return an assignment."""
    return {
        "id": one.id,
        "device": one.device_id,
        "ecu": one.ecu,
        "hardware_id": one.hardware_id,
        "target": one.target,
        "sha256": one.sha256,
        "length": one.length,
        "uri": one.uri or None,
        "correlation_id": one.correlation_id,
        "state": one.state,
        "code": one.code or None,
        "reason": one.reason or None,
        "created": moment(one.created),
        "updated": moment(one.updated),
    }


def report(one: Report) -> Object:
    """Return what a device said of an installation."""
    return {
        "received": moment(one.received),
        "correlation_id": one.correlation_id or None,
        "success": one.success,
        "code": one.code or None,
        "description": one.description or None,
    }


def event(one: Event) -> Object:
    """Return an event."""
    body: Json = json.loads(one.body)
    return {
        "id": one.id,
        "uuid": one.uuid,
        "device": one.device_id,
        "received": moment(one.received),
        "device_time": one.device_time or None,
        "type": one.type,
        "ecu": one.ecu or None,
        "correlation_id": one.correlation_id or None,
        "success": one.success,
        "event": body.get("event") if isinstance(body, dict) else None,
    }


def target(name: str, one: Image) -> Object:
    """Return an image."""
    custom = one.custom or {}
    return {
        "name": name,
        "kind": kind_of(one),
        "length": one.length,
        "sha256": one.hashes.get("sha256"),
        "hardware_ids": list(hardware_ids_of(one, name)),
        "version": custom.get("version"),
        "release_counter": release_counter_of(one, name),
        "uri": custom.get("uri"),
    }


def group(one: tuple[str, int, int]) -> Object:
    """Return a group: its name, when it was made, how many devices it has."""
    name, created, count = one
    return {"name": name, "created": moment(created), "devices": count}


def campaign(one: Campaign, counts: Iterable[Count]) -> Object:
    """Return a campaign, and how many devices of each wave are how far."""
    by_wave: dict[int, Object] = {}
    for each in counts:
        by_wave.setdefault(each.wave, {})[each.state] = each.size
    waves: list[Json] = [
        {"wave": wave, "has_begun": wave <= one.wave, "devices": states}
        for wave, states in sorted(by_wave.items())
    ]
    return {
        "id": one.id,
        "name": one.name,
        "target": one.target,
        "description": one.description,
        "installation_s": one.installation_s,
        "preparation_s": one.preparation_s,
        "auto_accept": one.auto_accept,
        "mode": one.mode,
        "waves": list(filter(None, one.waves.split(","))),
        "failures": one.failures or None,
        "advance": one.advance,
        "state": one.state,
        "reason": one.reason or None,
        "created": moment(one.created),
        "updated": moment(one.updated),
        "progress": waves,
    }


def campaign_device(one: CampaignDevice) -> Object:
    """Return a device of a campaign."""
    return {
        "device": one.device_id,
        "wave": one.wave,
        "state": one.state,
        "reason": one.reason or None,
        "updated": moment(one.updated),
    }


def status(one: Status) -> Object:
    """Return how a server is."""
    expires: Object = {role: format_time(when) for role, when in one.expires.items()}
    return {
        "name": one.name,
        "gateway": one.gateway,
        "devices": one.devices,
        "seen_lately": one.seen_lately,
        "assignments": dict(one.assignments),
        "images": one.images,
        "expires": expires,
        "warnings": list(one.warnings),
    }
