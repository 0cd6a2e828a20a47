# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.fleet.domain import assignments, devices
from ostrya.fleet.errors import SetupError
from ostrya.uptane.author import publish, roles
from ostrya.uptane.metadata.json_text import parse_json
from support.fleet_server import direct_device


def signed(file):
    return parse_json(file.data, 10**6, "x")["signed"]


@pytest.fixture
def sign(services, device, change, clock):
    def deed():
        return change(
            services.director.sign_if_due, device.name, services.images.all_images(), clock.now
        )

    return deed


def test_nothing_to_do_names_the_vehicle(sign):
    targets = signed(sign()["targets"])
    assert targets["targets"] == {}
    assert targets["custom"] == {"vehicleId": "dev-1"}
    assert sign() == sign()


def test_what_is_assigned_is_said_once(services, sign, change, device, firmware):
    first = sign()
    wanted = assignments.Wanted(device.name, firmware, correlation_id="urn:1")
    change(assignments.assign, wanted, services.images.all_images(), 5)
    found = sign()
    targets = signed(found["targets"])
    ecus = targets["targets"][firmware]["custom"]["ecuIdentifiers"]
    assert ecus == {device.primary.serial: {"hardwareId": "board"}}
    assert targets["custom"]["correlationId"] == "urn:1"
    assert all(found[role].version == first[role].version + 1 for role in found)
    change(assignments.cancel, device.name, (), 6)
    assert signed(sign()["targets"])["targets"] == {}


def test_little_time_left(services, sign, clock):
    first = sign()
    clock.forward(hours=22, minutes=59)
    assert sign() == first
    clock.forward(minutes=2)
    assert sign()["timestamp"].version == first["timestamp"].version + 1


def test_new_keys_of_the_director(services, sign, clock):
    first = sign()
    work = services.director.work
    roles.rotate(work, "targets", "ed25519", roles.RolePlan(), clock.now)
    assert not publish.publish(work, clock.now).missing
    found = sign()
    assert {one.root_version for one in found.values()} == {2}
    key = parse_json(found["targets"].data, 10**6, "x")["signatures"][0]["keyid"]
    assert key != parse_json(first["targets"].data, 10**6, "x")["signatures"][0]["keyid"]


def test_roots(services):
    assert services.director.root(1) == services.director.root(services.director.root_version())
    assert services.director.root(2) is None
    assert services.director.root(10**9) is None


def test_keys_that_are_gone(services, sign):
    folder = services.settings.path("director", "keys")
    for name in os.listdir(folder):
        if name.startswith("timestamp"):
            os.unlink(os.path.join(folder, name))
    with pytest.raises(SetupError, match="too few keys of timestamp"):
        sign()


def test_an_image_that_was_taken_out_is_still_said(services, sign, change, device, firmware, clock):
    change(
        assignments.assign, assignments.Wanted(device.name, firmware),
        services.images.all_images(), 5,
    )  # fmt: skip
    services.images.remove(firmware, clock.now)
    assert list(signed(sign()["targets"])["targets"]) == [firmware]


def test_a_device_that_was_removed_and_came_back_goes_on(services, gateway, device, change, clock):
    for _ in range(3):
        assert device.cycle(clock.now).agreed == ()
        clock.forward(hours=23, minutes=30)
    kept = dict(device.kept)
    change(devices.remove, device.name, 5)
    back = direct_device(services, gateway, device.name, device.ecus)
    back.kept = kept
    assert back.cycle(clock.now).agreed == ()
