# SPDX-License-Identifier: Apache-2.0
"""The description of the API for tools and pages, as OpenAPI 3.1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya import __version__
from ostrya.fleet.api import campaigns, devices, owner, updates
from ostrya.fleet.api.routes import PREFIX
from ostrya.fleet.api.schemas import NUMBER, SCHEMAS, TEXT, ref

if TYPE_CHECKING:
    from ostrya.fleet.api.routes import Spec
    from ostrya.uptane.metadata.json_text import Json, Object

SPECS = (*owner.SPECS, *devices.SPECS, *updates.SPECS, *campaigns.SPECS)
_PART = re.compile(r"\{(\w+)(?::path)?\}")
_ERRORS = {
    "400": "The request is not what it has to be",
    "401": "Nobody said who is asking",
    "403": "Whoever asks may not",
    "404": "There is nothing of that name",
    "409": "What is there is in the way",
    "412": "Something has to be another way before",
    "413": "There is more than is taken at once",
    "503": "The database or the disk does not take it",
}


def document() -> Object:
    """Return the description."""
    paths: Object = {}
    for spec in SPECS:
        path = PREFIX + _PART.sub(r"{\1}", spec.path)
        known = paths.setdefault(path, {})
        if isinstance(known, dict):
            known[spec.method.lower()] = _operation(spec)
    schemas: Object = dict(sorted(SCHEMAS.items()))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ostrya fleet",
            "version": __version__,
            "description": "What the owner of a server asks and does. Devices have a door of their"
            " own, by which none of this can be reached.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "the door for tools"}],
        "security": [{"bearer": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(spec: Spec) -> Object:
    parameters: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": TEXT}
        for name in _PART.findall(spec.path)
    ]
    parameters += [
        {
            "name": one.name,
            "in": "query",
            "description": one.help,
            "schema": {**NUMBER, "maximum": 1000}
            if one.name in {"limit", "last"}
            else NUMBER
            if one.is_number
            else TEXT,
        }
        for one in spec.query
    ]
    found: Object = {
        "operationId": spec.name,
        "summary": spec.help,
        "tags": [spec.path.split("/")[1]],
        "parameters": parameters,
        "responses": _responses(spec),
    }
    if spec.body is not None:
        needed = bool(spec.body.get("required"))
        content: Object = {"application/json": {"schema": spec.body}}
        found["requestBody"] = {"required": needed, "content": content}
    return found


def _responses(spec: Spec) -> Object:
    good: Object = {"description": spec.help}
    if spec.answer:
        good["content"] = {"application/json": {"schema": ref(spec.answer)}}
    found: Object = {str(spec.status): good}
    for status, words in _ERRORS.items():
        content: Object = {"application/problem+json": {"schema": ref("Problem")}}
        found[status] = {"description": words, "content": content}
    return found
