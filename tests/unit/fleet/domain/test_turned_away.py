# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.fleet.db import devices, log
from ostrya.fleet.domain.turned_away import AGAIN_AFTER_S, TurnedAway, tell
from ostrya.fleet.errors import Forbidden


def test_each_is_told_of_now_and_then():
    found = TurnedAway()
    assert found.is_news("x", "certificate_revoked", 100)
    assert not found.is_news("x", "certificate_revoked", 100 + AGAIN_AFTER_S - 1)
    assert found.is_news("y", "certificate_revoked", 101)
    assert found.is_news("x", "device_already_registered", 101)
    assert found.is_news("x", "certificate_revoked", 100 + AGAIN_AFTER_S)
    # A clock that was set back does not silence it.
    assert found.is_news("x", "certificate_revoked", 50)
    assert not found.is_news("x", "certificate_missing", 100)


def test_only_of_devices_that_are_there(services, change, look):
    refusal = Forbidden("it was revoked: stolen", code="certificate_revoked")
    change(tell, "x", refusal, 5)
    assert look(lambda c: log.list_events(c, {})) == ()
    change(devices.add_device, "x", 5)
    change(tell, "x", refusal, 6)
    (one,) = look(lambda c: log.list_events(c, {}))
    assert (one.device_id, one.type, one.received) == ("x", "CertificateRefused", 6)
    assert "stolen" in one.body
