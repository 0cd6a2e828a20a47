# SPDX-License-Identifier: Apache-2.0
"""Either every ECU of an update has what it needs, or none begins."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ostrya.uptane.client.errors import SecondaryRefused, SecondaryUnreachable
from ostrya.uptane.client.installer import Outcome
from ostrya.uptane.client.primary import End
from ostrya.uptane.client.vehicle import Rules
from ostrya.uptane.errors import ServerRefused
from support.ota_ecus import SECOND, FakeEcu, add_ecu
from support.ota_world import SERIAL, make_device
from support.uptane_world import NOW


@pytest.fixture
def device(tmp_path):
    device = make_device(tmp_path, rules=Rules(secondary_wait_s=600))
    add_ecu(device, FakeEcu())
    return device


@pytest.fixture
def ecu(device):
    return device.secondaries[0]


def test_an_update_of_two_ecus(device, ecu):
    assert device.cycle().end is End.INSTALLED
    assert ecu.did == ["report", "put_metadata", "send_image", "install", "report"]
    assert (ecu.image, ecu.content) == ("sensor", b"sensor firmware")
    assert sorted(device.server.results()) == [(SERIAL, "OK"), (SECOND, "OK")]
    body = device.server.manifests[-1].installation_report["report"]
    assert body["result"]["code"] == "sensor:OK|board:OK"
    assert device.server.manifests[-1].reports[SECOND].image == "sensor"
    assert device.cycle().end is End.UP_TO_DATE


@pytest.mark.parametrize("step", ["put_metadata", "send_image"])
def test_an_ecu_that_refuses_stops_all(device, ecu, step):
    """X05: nobody runs half of an update."""
    ecu.errors[step] = SecondaryRefused("the metadata is refused", "VERIFICATION_FAILED")
    found = device.cycle()
    assert (found.end, found.words) == (End.FAILED, "the metadata is refused")
    assert "install" not in ecu.did
    assert sorted(device.server.results()) == [
        (SERIAL, "OPERATION_CANCELLED"), (SECOND, "VERIFICATION_FAILED"),
    ]  # fmt: skip
    assert device.server.manifests[-1].reports[SERIAL].image == "unknown"
    for _ in range(2):
        device.cycle()
    assert device.cycle().end is End.GIVEN_UP
    assert ecu.did.count(step) == 3


def test_an_ecu_that_is_away_is_waited_for_and_not_for_ever(device, ecu):
    ecu.errors = {one: SecondaryUnreachable("ecu-2 does not answer") for one in ("put_metadata",)}
    assert device.cycle().end is End.FAILED
    assert device.server.results() == []
    device.clock = lambda: NOW + timedelta(seconds=601)
    device.cycle()
    assert sorted(device.server.results()) == [
        (SERIAL, "OPERATION_CANCELLED"), (SECOND, "DOWNLOAD_FAILED"),
    ]  # fmt: skip
    ecu.errors = {}
    assert device.cycle().end is End.INSTALLED


def test_a_report_of_an_ecu_that_is_away_is_the_last_one(device, ecu):
    device.cycle()
    ecu.errors["report"] = SecondaryUnreachable("ecu-2 does not answer")
    assert device.cycle().end is End.UP_TO_DATE
    assert device.server.manifests[-1].reports[SECOND].image == "sensor"


@pytest.mark.parametrize(("status", "told"), [(404, True), (429, False), (503, False)])
def test_what_a_server_does_not_have_is_told(device, status, told):
    def no(when, what):
        if what.startswith("image sensor"):
            raise ServerRefused("sensor", status)

    device.server.hook = no
    assert device.cycle().end is End.FAILED
    expected = [(SERIAL, "OPERATION_CANCELLED"), (SECOND, "DOWNLOAD_FAILED")]
    assert sorted(device.server.results()) == (expected if told else [])


def test_an_installation_that_fails_on_one_leaves_the_primary_as_it_is(device, ecu):
    """X05."""
    ecu.outcome = Outcome.failed("it did not start")
    found = device.cycle()
    assert (found.end, found.words) == (End.FAILED, "ecu-2: it did not start")
    assert sorted(device.server.results()) == [
        (SERIAL, "OPERATION_CANCELLED"), (SECOND, "INSTALL_FAILED"),
    ]  # fmt: skip
    body = device.server.manifests[-1].installation_report["report"]
    assert body["result"]["success"] is False
    assert body["raw_report"].startswith("ecu-2: it did not start")
    assert device.server.manifests[-1].reports[SERIAL].image == "unknown"
