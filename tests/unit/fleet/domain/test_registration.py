# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.fleet.db import devices as rows
from ostrya.fleet.domain import assignments, devices, registration
from ostrya.fleet.errors import BadRequest, Conflict, NotNow
from ostrya.fleet.settings import Devices
from support.fleet_device import Ecu

USUAL = Devices()


def wanted(*ecus, primary=None):
    value = {
        "primary_ecu_serial": primary or ecus[0].serial,
        "ecus": [one.registration() for one in ecus],
    }
    return registration.read(json.dumps(value).encode(), 10**6, 4)


@pytest.fixture
def register(services, change):
    for name in ("a", "b"):
        devices.provision(services.fleet, name, 30)

    def deed(device_id, found, settings=USUAL):
        return change(registration.register, device_id, found, settings, 5)

    return deed


def test_the_same_again_changes_nothing(register, look):
    primary, sensor = Ecu("p", "board"), Ecu("s", "sensor")
    assert register("a", wanted(primary, sensor))
    assert not register("a", wanted(primary, sensor))
    assert look(rows.find_device, "a").primary_serial == "p"
    assert {one.hardware_id for one in look(rows.list_ecus, "a")} == {"board", "sensor"}


def test_a_secondary_is_replaced(register, look):
    primary = Ecu("p", "board")
    register("a", wanted(primary, Ecu("s", "sensor")))
    assert register("a", wanted(primary, Ecu("t", "sensor")))
    assert [one.serial for one in look(rows.list_ecus, "a")] == ["p", "t"]
    with pytest.raises(Conflict) as caught:
        register("a", wanted(primary, Ecu("s", "sensor")))
    assert caught.value.code == "ecu_reuse_not_allowed"


def test_an_ecu_that_signs_as_before_is_not_heard_twice(register, change, look):
    ecu = Ecu("p", "board")
    register("a", wanted(ecu))
    change(rows.note_contacts, [rows.Contact("a", 9, (("p", 7, "digest"),))])
    ecu.hardware_id = "other board"
    assert register("a", wanted(ecu))
    (found,) = look(rows.list_ecus, "a")
    assert (found.hardware_id, found.last_counter) == ("other board", 7)
    assert register("a", wanted(Ecu("p", "other board")))
    assert look(rows.list_ecus, "a")[0].last_counter is None


def test_where_nothing_may_be_replaced(register):
    strict = Devices(allow_ecu_replacement=False)
    assert register("a", wanted(Ecu("p", "board")), strict)
    with pytest.raises(Conflict) as caught:
        register("a", wanted(Ecu("p", "board")), strict)
    assert caught.value.code == "ecu_replacement_disabled"


def test_an_ecu_of_another_device(register):
    register("a", wanted(Ecu("p", "board")))
    with pytest.raises(Conflict) as caught:
        register("b", wanted(Ecu("p", "board")))
    assert caught.value.code == "ecu_already_registered"


def test_not_while_it_is_updated(services, register, change, firmware):
    register("a", wanted(Ecu("p", "board")))
    images = services.images.all_images()
    change(assignments.assign, assignments.Wanted("a", firmware), images, 5)
    with pytest.raises(NotNow) as caught:
        register("a", wanted(Ecu("q", "board")))
    assert caught.value.code == "replace_ecu_assignment_exists"


def test_the_primary_has_to_be_there():
    with pytest.raises(BadRequest) as caught:
        wanted(Ecu("p", "board"), primary="q")
    assert caught.value.code == "primary_is_not_listed_for_device"


def broken(**changes):
    return {**Ecu("p", "board").registration(), **changes}


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {"primary_ecu_serial": "p"},
        {"primary_ecu_serial": "p", "ecus": {}},
        {"primary_ecu_serial": "p", "ecus": [broken(), broken()]},
        {"primary_ecu_serial": "p", "ecus": [broken()] * 5},
        {"primary_ecu_serial": "p", "ecus": [broken(ecu_serial="")]},
        {"primary_ecu_serial": "p", "ecus": [broken(ecu_serial="p\n")]},
        {"primary_ecu_serial": "p", "ecus": [broken(hardware_identifier="x" * 201)]},
        {"primary_ecu_serial": "p", "ecus": [broken(clientKey=1)]},
        {
            "primary_ecu_serial": "p",
            "ecus": [broken(clientKey={"keytype": "DSA", "keyval": {"public": "0"}})],
        },
    ],
)
def test_what_is_no_registration(value):
    with pytest.raises(BadRequest):
        registration.read(json.dumps(value).encode(), 10**6, 4)
