# SPDX-License-Identifier: Apache-2.0
"""The shapes of what is answered, as JSON Schema: for OpenAPI, and for what ``--json`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ostrya.uptane.metadata.json_text import Json, Object

TEXT: Object = {"type": "string"}
TEXT_OR_NULL: Object = {"type": ["string", "null"]}
NUMBER: Object = {"type": "integer", "minimum": 0}
TRUTH: Object = {"type": "boolean"}
TRUTH_OR_NULL: Object = {"type": ["boolean", "null"]}
TIME: Object = {"type": "string", "format": "date-time"}
TIME_OR_NULL: Object = {"type": ["string", "null"], "format": "date-time"}
ANYTHING: Object = {}


def ref(name: str) -> Object:
    """Return what stands for a schema of `SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def listing(items: Object) -> Object:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


def closed(**properties: Object) -> Object:
    """Return the schema of an object that has all of these fields and no others."""
    names: list[Json] = list(properties)
    fields: Object = dict(properties)
    return {
        "type": "object",
        "required": names,
        "additionalProperties": False,
        "properties": fields,
    }


def opened(properties: Object, *required: str) -> Object:
    """Return the schema of an object of which some fields may be left out."""
    names: list[Json] = list(required)
    return {
        "type": "object",
        "required": names,
        "additionalProperties": False,
        "properties": properties,
    }


def page(name: str, items: str) -> Object:
    """Return the schema of a part of a long list."""
    following: Object = {
        "type": ["string", "null"],
        "description": "`after` of the request for more; null at the end",
    }
    return closed(**{name: listing(ref(items)), "next": following})


_ECU_IMAGE: Object = {
    "anyOf": [closed(name=TEXT, length=NUMBER, sha256=TEXT), {"type": "null"}],
    "description": "What it says that it runs; null if it never said",
}
_ASSIGNMENT_STATE: Object = {
    "enum": ["pending", "downloading", "installing", "applied", "done", "failed", "cancelled"]
}
_RIGHT: Object = {"enum": ["admin", "push", "watch"]}
_MEMBER_STATE: Object = {
    "enum": [
        "waiting", "offered", "postponed", "agreed", "accepted", "done", "failed", "declined",
        "skipped", "withdrawn",
    ]
}  # fmt: skip
_DEVICE: dict[str, Object] = {
    "id": TEXT,
    "state": {"enum": ["never seen", "no ECUs", "idle", "updating", "revoked"]},
    "created": TIME,
    "last_seen": TIME_OR_NULL,
    "primary": TEXT_OR_NULL,
    "attacks": TEXT_OR_NULL,
    "ecus": listing(ref("Ecu")),
    "assignments": listing(ref("Assignment")),
}
_CAMPAIGN: dict[str, Object] = {
    "id": TEXT,
    "name": TEXT,
    "target": TEXT,
    "description": TEXT,
    "installation_s": NUMBER,
    "preparation_s": NUMBER,
    "auto_accept": TRUTH,
    "mode": {"enum": ["assign", "offer"]},
    "waves": listing(TEXT),
    "failures": TEXT_OR_NULL,
    "advance": NUMBER,
    "state": {"enum": ["draft", "launched", "paused", "finished", "cancelled"]},
    "reason": {**TEXT_OR_NULL, "description": "Why it is paused"},
    "created": TIME,
    "updated": TIME,
    "progress": listing(ref("Wave")),
}
_BY_STATE: Object = {"type": "object", "additionalProperties": NUMBER}

SCHEMAS: dict[str, Object] = {
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": TEXT,
            "title": TEXT,
            "status": NUMBER,
            "detail": TEXT,
            "code": {"type": "string", "description": "for programs; it does not change"},
            "hint": {"type": "string", "description": "what to do about it"},
        },
    },
    "Ecu": closed(serial=TEXT, hardware_id=TEXT, image=_ECU_IMAGE, reported=TIME_OR_NULL),
    "Assignment": closed(
        id=NUMBER,
        device=TEXT,
        ecu=TEXT,
        hardware_id=TEXT,
        target=TEXT,
        sha256=TEXT,
        length=NUMBER,
        uri=TEXT_OR_NULL,
        correlation_id=TEXT,
        state=_ASSIGNMENT_STATE,
        code=TEXT_OR_NULL,
        reason=TEXT_OR_NULL,
        created=TIME,
        updated=TIME,
    ),
    "Device": closed(**_DEVICE),
    "Certificate": closed(
        serial=TEXT,
        name=TEXT,
        purpose={"enum": ["device", "provisioning", "tool"]},
        created=TIME,
        expires=TIME_OR_NULL,
        revoked=TIME_OR_NULL,
        reason=TEXT_OR_NULL,
    ),
    "Report": closed(
        received=TIME,
        correlation_id=TEXT_OR_NULL,
        success=TRUTH_OR_NULL,
        code=TEXT_OR_NULL,
        description=TEXT_OR_NULL,
    ),
    "DeviceDetails": closed(
        **_DEVICE,
        groups=listing(TEXT),
        certificates=listing(ref("Certificate")),
        history=listing(ref("Assignment")),
        reports=listing(ref("Report")),
        data={
            "type": "object",
            "description": "What the device says of itself, by kind",
            "additionalProperties": closed(received=TIME, value=ANYTHING),
        },
    ),
    "Event": closed(
        id=NUMBER,
        uuid=TEXT,
        device=TEXT,
        received=TIME,
        device_time=TEXT_OR_NULL,
        type=TEXT,
        ecu=TEXT_OR_NULL,
        correlation_id=TEXT_OR_NULL,
        success=TRUTH_OR_NULL,
        event=ANYTHING,
    ),
    "Target": closed(
        name=TEXT,
        kind={"enum": ["ostree", "binary"]},
        length=NUMBER,
        sha256=TEXT_OR_NULL,
        hardware_ids=listing(TEXT),
        version=ANYTHING,
        release_counter={"type": ["integer", "null"]},
        uri=ANYTHING,
    ),
    "Group": closed(name=TEXT, created=TIME, devices=NUMBER),
    "CampaignDevice": closed(
        device=TEXT,
        wave=NUMBER,
        state=_MEMBER_STATE,
        reason=TEXT_OR_NULL,
        updated=TIME,
    ),
    "Wave": closed(wave=NUMBER, has_begun=TRUTH, devices=_BY_STATE),
    "Campaign": closed(**_CAMPAIGN),
    "CampaignDetails": closed(**_CAMPAIGN, devices=listing(ref("CampaignDevice"))),
    "Token": closed(name=TEXT, may=_RIGHT, created=TIME, revoked=TIME_OR_NULL),
    "Tokens": closed(tokens=listing(ref("Token"))),
    "NewToken": closed(name=TEXT, may=_RIGHT, secret=TEXT),
    "Revoked": closed(revoked=NUMBER),
    "DeviceCredentials": closed(serial=TEXT, certificate=TEXT, key=TEXT, authority=TEXT),
    "Status": closed(
        name=TEXT,
        gateway=TEXT,
        devices=NUMBER,
        seen_lately=NUMBER,
        assignments=_BY_STATE,
        images=NUMBER,
        expires={"type": "object", "additionalProperties": TIME},
        warnings=listing(TEXT),
    ),
    "Devices": page("devices", "Device"),
    "Events": page("events", "Event"),
    "AssignmentPage": page("assignments", "Assignment"),
    "Assignments": closed(assignments=listing(ref("Assignment"))),
    "Targets": closed(targets=listing(ref("Target"))),
    "Groups": closed(groups=listing(ref("Group"))),
    "Members": closed(name=TEXT, devices=listing(TEXT)),
    "Campaigns": closed(campaigns=listing(ref("Campaign"))),
    "CampaignDevices": page("devices", "CampaignDevice"),
    "Serving": closed(
        folder=TEXT,
        addresses={"type": "object", "additionalProperties": TEXT, "description": "of each door"},
    ),
    "Ecus": closed(ecus=listing(ref("Ecu"))),
    "DeviceData": {
        "type": "object",
        "additionalProperties": closed(received=TIME, value=ANYTHING),
    },
}

_LISTED = "fleet-device-list", "fleet-events"
VERBS = {
    "fleet-assign": "Assignments",
    "fleet-campaign-abort": "Campaign",
    "fleet-campaign-create": "Campaign",
    "fleet-campaign-list": "Campaigns",
    "fleet-campaign-pause": "Campaign",
    "fleet-campaign-resume": "Campaign",
    "fleet-campaign-show": "CampaignDetails",
    "fleet-cancel": "Assignments",
    "fleet-device-list": "Devices",
    "fleet-device-show": "DeviceDetails",
    "fleet-events": "Events",
    "fleet-group-list": "Groups",
    "fleet-group-show": "Members",
    "fleet-serve": "Serving",
    "fleet-status": "Status",
    "fleet-targets-list": "Targets",
    "fleet-token-list": "Tokens",
}
"""Which schema describes what a verb prints with ``--json``."""


def verb_schema(verb: str) -> Object:
    """Return the schema of what a verb prints, whole in itself."""
    found = dict(SCHEMAS[VERBS[verb]])
    if verb in _LISTED:
        # On a terminal, there is no next part.
        name = next(iter(_properties(found)))
        found = closed(**{name: _properties(found)[name]})
    title = f"What `{verb.replace('-', ' ')} --json` prints"
    whole: Object = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **found,
    }
    return _with_definitions(whole)


def _properties(schema: Object) -> dict[str, Object]:
    found = schema["properties"]
    return found if isinstance(found, dict) else {}  # type: ignore[return-value]  # schemas all


def _with_definitions(whole: Object) -> Object:
    """Return a schema with all that it refers to inside."""
    needed: Object = {}
    pending = [whole]
    while pending:
        for name in _names_in(pending.pop()):
            if name not in needed:
                needed[name] = _moved(SCHEMAS[name])
                pending.append(SCHEMAS[name])
    found = _moved(whole)
    if needed and isinstance(found, dict):
        found["$defs"] = dict(sorted(needed.items()))
    return found if isinstance(found, dict) else {}


def _names_in(value: Json) -> set[str]:
    if isinstance(value, dict):
        target = value.get("$ref")
        own = {target.rpartition("/")[2]} if isinstance(target, str) else set()
        return own.union(*(_names_in(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(_names_in(one) for one in value))
    return set()


def _moved(value: Json) -> Json:
    if isinstance(value, dict):
        return {
            key: f"#/$defs/{one.rpartition('/')[2]}"
            if key == "$ref" and isinstance(one, str)
            else _moved(one)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_moved(one) for one in value]
    return value
