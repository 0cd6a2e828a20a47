# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta

import pytest

from ostrya.uptane.client.errors import SecondaryUnreachable
from ostrya.uptane.client.installer import Outcome, Stage
from ostrya.uptane.client.primary import End
from ostrya.uptane.client.vehicle import Rules
from support.ota_ecus import SECOND, FakeEcu, add_ecu
from support.ota_world import SERIAL, make_device
from support.uptane_world import NOW


class Steps:
    """An installer whose outcomes are written down."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.did = []

    def running(self, log):
        return None

    def refuse(self, image):
        pass

    def has(self, image):
        return True

    def install(self, target, watch):
        self.did.append("install")
        return self.outcomes.pop(0)

    def finish(self, target, *, restarted):
        self.did.append(f"finish {restarted}")
        return self.outcomes.pop(0)

    def keep_only(self, targets):
        pass


def test_a_trial_is_waited_for_and_then_told(tmp_path):
    steps = Steps(
        Outcome(Stage.APPLIED), Outcome(Stage.TRIAL, words="checks"), Outcome.failed("rolled back")
    )
    device = make_device(tmp_path, installer=steps)
    assert device.cycle().end is End.RESTART
    device.restart()
    found = device.cycle()
    assert (found.end, found.words) == (End.TRIAL, "checks")
    assert device.server.results() == []
    steps.outcomes += [Outcome(Stage.APPLIED)]
    device.cycle()
    assert device.server.results() == [(SERIAL, "INSTALL_FAILED")]
    assert steps.did == ["install", "finish True", "finish True", "install"]


def test_what_was_lost_is_applied_again_but_not_for_ever(tmp_path):
    lost = [Outcome(Stage.LOST, words="power failed"), Outcome(Stage.APPLIED)]
    steps = Steps(Outcome(Stage.APPLIED), *lost, *lost, *lost, Outcome(Stage.LOST, words="again"))
    device = make_device(tmp_path, installer=steps)
    for _ in range(4):
        assert device.cycle().end is End.RESTART
        device.restart()
    steps.outcomes += [Outcome(Stage.APPLIED)]
    device.cycle()
    assert device.server.results() == [(SERIAL, "INSTALL_FAILED")]
    (event,) = [
        one for one in device.server.events.values()
        if one["eventType"]["id"] == "EcuInstallationCompleted"
    ]  # fmt: skip
    assert event["event"]["description"] == "it was lost 4 times: again"


def test_an_installation_that_cannot_begin_goes_on_later(tmp_path):
    steps = Steps(
        Outcome(Stage.LATER, words="a trial"), Outcome(Stage.LOST), Outcome(Stage.APPLIED)
    )
    device = make_device(tmp_path, installer=steps)
    found = device.cycle()
    assert (found.end, found.words) == (End.WAITING, "a trial")
    assert device.cycle().end is End.RESTART
    assert len(device.state()["log"]) == 1


@pytest.mark.parametrize("error", [None, SecondaryUnreachable("it does not answer")])
def test_an_ecu_that_restarts_is_waited_for(tmp_path, error):
    device = make_device(tmp_path, rules=Rules(secondary_wait_s=60))
    ecu = FakeEcu()
    add_ecu(device, ecu)
    ecu.outcome = Outcome(Stage.APPLIED)
    assert device.cycle().end is End.RESTART
    if error:
        ecu.errors["finish"] = error
    assert device.cycle().end is End.RESTART
    device.clock = lambda: NOW + timedelta(seconds=61)
    device.cycle()
    assert (SECOND, "INSTALL_FAILED") in device.server.results()


def test_a_restart_is_forgotten_if_it_was_not(tmp_path):
    device = make_device(tmp_path)
    with device.primary() as primary:
        primary._parts.restart.expect()
        primary.waits()
        assert not primary._parts.restart.is_expected()


def test_an_ecu_that_is_gone(tmp_path):
    device = make_device(tmp_path)
    ecu = FakeEcu()
    add_ecu(device, ecu)
    ecu.outcome = Outcome(Stage.APPLIED)
    device.cycle()
    device.secondaries = ()
    device.server.registered.ecus.pop(SECOND)
    device.cycle()
    assert (SECOND, "INSTALL_FAILED") in device.server.results()
