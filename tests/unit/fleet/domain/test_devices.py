# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fleet.certificates import Purpose, Wish, issue
from ostrya.fleet.db import devices as rows
from ostrya.fleet.domain import devices
from ostrya.fleet.errors import BadRequest, Conflict, Forbidden, NotFound


def test_a_name_is_given_once(services):
    devices.provision(services.fleet, "a", 30)
    with pytest.raises(Conflict) as caught:
        devices.provision_itself(services.fleet, "a", 30)
    assert caught.value.code == "device_already_registered"


def test_devices_may_be_kept_from_registering_themselves(services):
    settings = services.settings
    services.fleet.settings = settings._replace(
        devices=settings.devices._replace(shared_provisioning=False)
    )
    with pytest.raises(Forbidden):
        devices.provision_itself(services.fleet, "a", 30)


def test_a_certificate_that_was_made_elsewhere(services, look):
    fleet = services.fleet
    made = issue(fleet.authority, Wish("car-1", Purpose.DEVICE, 30), fleet.now())
    devices.add_with_certificate(fleet, made.certificate_pem())
    assert look(rows.find_certificate, made.serial).name == "car-1"
    with pytest.raises(Conflict, match="registered already"):
        devices.add_with_certificate(fleet, made.certificate_pem())
    tool = issue(fleet.authority, Wish("t", Purpose.TOOL, 30), fleet.now())
    with pytest.raises(BadRequest, match="that of a tool"):
        devices.add_with_certificate(fleet, tool.certificate_pem())


def test_withdrawn_renewed_removed(services, change, look):
    first = devices.provision(services.fleet, "a", 30)
    assert change(devices.revoke, "a", "lost", 7) == 1
    assert look(devices.details, "a").overview.state == "revoked"
    second = devices.renew(services.fleet, "a", 30)
    found = look(devices.details, "a")
    assert {one.serial: one.revoked for one in found.certificates} == {
        first.serial: 7,
        second.serial: None,
    }
    assert found.overview.state == "never seen"
    change(devices.remove, "a", 8)
    with pytest.raises(NotFound):
        look(devices.details, "a")
    assert look(rows.find_certificate, second.serial).revoked == 8
    devices.provision(services.fleet, "a", 30)


@pytest.mark.parametrize("deed", [devices.revoke, devices.remove])
def test_nobody_of_that_name(change, deed):
    arguments = ("x", "why", 1) if deed is devices.revoke else ("x", 1)
    with pytest.raises(NotFound):
        change(deed, *arguments)
    with pytest.raises(NotFound):
        change(lambda c: devices.require(c, "x"))


def test_a_device_that_asks_again_is_known_by_its_claim(services, look):
    fleet = services.fleet
    first = devices.provision(fleet, "a", 30, "secret")
    for claim in ("", "other"):
        with pytest.raises(Conflict):
            devices.provision(fleet, "a", 30, claim)
    second = devices.provision(fleet, "a", 30, "secret")
    assert look(rows.find_certificate, first.serial).revoked is not None
    assert look(rows.find_certificate, second.serial).revoked is None
    devices.provision(fleet, "b", 30)
    with pytest.raises(Conflict):
        devices.provision(fleet, "b", 30, "")
