# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta

import pytest

from ostrya.uptane.client.consent import LONGEST_POSTPONE_S, Answer, Consent, update_id
from ostrya.uptane.client.installs import Target
from support.uptane_world import NOW

LATER = NOW + timedelta(seconds=61)


@pytest.mark.parametrize("required", [True, False])
def test_answers(storage, required):
    consent = Consent(storage, required=required)
    assert consent.allows("u", NOW) is not required
    assert consent.is_asked("u", NOW) is required
    consent.give("u", Answer.ACCEPT, NOW)
    assert consent.allows("u", NOW)
    assert not consent.is_asked("u", NOW)
    consent.give("u", Answer.DECLINE, NOW)
    assert not consent.allows("u", NOW)
    assert not consent.is_asked("u", NOW)
    consent.give("u", Answer.POSTPONE, NOW, 60)
    assert not consent.allows("u", NOW)
    assert consent.allows("u", LATER) is not required
    assert not consent.is_asked("u", NOW)
    assert consent.is_asked("u", LATER) is required


def test_an_answer_is_about_one_update(storage):
    Consent(storage, required=True).give("u", Answer.ACCEPT, NOW)
    assert not Consent(storage, required=True).allows("v", NOW)


def test_nobody_postpones_for_ever(storage):
    given = Consent(storage, required=True).give("u", Answer.POSTPONE, NOW, 10**12)
    assert given.until == NOW + timedelta(seconds=LONGEST_POSTPONE_S)


@pytest.mark.parametrize("value", [b"", b"[]", b'{"update": "u"}', b'{"update":"u","answer":"?"}'])
def test_what_another_program_wrote_asks_again(storage, value):
    storage.set_fact("consent", value)
    assert Consent(storage, required=True).given("u") is None


def test_what_identifies_an_update():
    one = Target("e", "n", 1, {"sha256": "a"}, None, "c")
    two = one._replace(serial="f")
    assert update_id([one, two]) == update_id([two, one])
    others = [one._replace(name="m"), one._replace(hashes={"sha256": "b"}), two]
    assert len({update_id([x]) for x in [one, *others]}) == 4
    assert update_id([one]) != update_id([one._replace(correlation_id="d")])
