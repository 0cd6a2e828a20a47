# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import SignatureError
from ostrya.sign.errors import NoSignature, UntrustedKey
from ostrya.sign.policy import ENGINES, Demand, accept_any, parse_demand


@pytest.mark.parametrize(
    ("value", "demand"),
    [
        (None, Demand()),
        ("", Demand()),
        ("false", Demand()),
        ("0", Demand()),
        ("true", Demand(ENGINES)),
        ("1", Demand(ENGINES)),
        ("ed25519", Demand(("ed25519",), keys_required=True)),
        ("ed25519;spki;", Demand(("ed25519", "spki"), keys_required=True)),
        ("ed25519,spki", Demand(("ed25519", "spki"), keys_required=True)),
    ],
)
def test_demands(value, demand):
    assert parse_demand(value) == demand


@pytest.mark.parametrize("value", ["rot13", "ed25519;rot13", ";", "True"])
def test_demands_that_are_refused(value):
    with pytest.raises(SignatureError):
        parse_demand(value)


def test_the_first_success_counts():
    def results():
        yield None
        yield UntrustedKey("no")
        yield "yes"
        pytest.fail("was asked for more")

    assert accept_any(results()) == "yes"


def test_refusals():
    with pytest.raises(NoSignature, match="No signatures found"):
        accept_any([None, None])
    with pytest.raises(UntrustedKey, match=r"^no$"):
        accept_any([None, UntrustedKey("no")])
    with pytest.raises(UntrustedKey, match=r"^\(1 other invalid signatures\): no$"):
        accept_any([UntrustedKey("no"), UntrustedKey("neither")])
