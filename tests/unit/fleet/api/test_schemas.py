# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ostrya.fleet.api import schemas

FOLDER = Path(__file__).resolve().parents[4] / "docs" / "reference" / "json"


@pytest.mark.parametrize("verb", schemas.VERBS)
def test_the_reference_says_what_verbs_print(verb):
    wanted = json.dumps(schemas.verb_schema(verb), indent=2) + "\n"
    assert (FOLDER / f"{verb}.json").read_text() == wanted, (
        "python -m ostrya.fleet.api.reference docs/reference writes it"
    )
    Draft202012Validator.check_schema(json.loads(wanted))


def test_all_references_lead_somewhere():
    text = json.dumps(schemas.SCHEMAS)
    names = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= schemas.SCHEMAS.keys()
