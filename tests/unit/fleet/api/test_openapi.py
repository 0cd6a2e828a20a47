# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re
from pathlib import Path

from ostrya.fleet.api.openapi import SPECS, document
from ostrya.fleet.api.schemas import SCHEMAS

PAGE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "fleet-openapi.json"


def test_the_reference_is_what_is_served(owner):
    served = owner.ask("GET", "/openapi.json")
    assert served.json() == document()
    assert json.loads(PAGE.read_text()) == document()


def test_every_request_is_described_and_every_description_answered(ask, owner):
    described = {
        (method.upper(), path)
        for path, operations in document()["paths"].items()
        for method in operations
    }
    wanted = {(one.method, "/api/v1" + one.path.replace(":path", "")) for one in SPECS}
    assert described == wanted
    for method, path in described:
        reply = owner.ask(method, re.sub(r"{\w+}", "x", path), b"{}")
        assert reply.status != 405, (method, path)
        if reply.status == 404:
            assert reply.json()["code"].startswith("missing_"), (method, path)


def test_names_of_operations_are_unique():
    names = [one.name for one in SPECS]
    assert len(names) == len(set(names))


def test_all_schemas_are_there():
    assert {one.answer for one in SPECS if one.answer} <= SCHEMAS.keys()
