# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fleet.db import updates
from ostrya.fleet.domain import assignments, devices
from ostrya.fleet.domain.assignments import Progress, Wanted
from ostrya.fleet.errors import BadRequest, Conflict, NotFound
from support.fleet_device import Ecu
from support.fleet_server import direct_device, publish_file


@pytest.fixture
def assign(services, change):
    def deed(*wanted, **more):
        return change(assignments.assign, Wanted(*wanted, **more), services.images.all_images(), 5)

    return deed


def test_all_ecus_of_the_kind(services, gateway, assign, firmware):
    ecus = [Ecu("p", "board"), Ecu("q", "board"), Ecu("s", "sensor")]
    direct_device(services, gateway, "x", ecus)
    found = assign("x", firmware)
    assert [one.ecu for one in found] == ["p", "q"]
    assert len({one.correlation_id for one in found}) == 1
    assert found[0].correlation_id.startswith("urn:ostrya:update:")


@pytest.mark.parametrize(
    ("wanted", "kind", "code"),
    [
        (("nobody", "fw-1"), NotFound, "missing_device"),
        (("dev-1", "nothing"), NotFound, "missing_target"),
        (("dev-1", "fw-1", ("other",)), NotFound, "missing_ecu"),
        (("dev-1", "for-sensors"), Conflict, "hardware_mismatch"),
        (("dev-1", "for-sensors", ("dev-1-primary",)), Conflict, "hardware_mismatch"),
        (("empty", "fw-1"), Conflict, "device_without_ecus"),
        (("dev-1", "fw-1", (), "urn:\u00e4"), BadRequest, "bad_request"),
    ],
)
def test_refusals(services, device, assign, firmware, tmp_path, wanted, kind, code):
    publish_file(services, tmp_path, "for-sensors", hardware_ids=("sensor",))
    devices.provision(services.fleet, "empty", 30)
    with pytest.raises(kind) as caught:
        assign(*wanted)
    assert caught.value.code == code


def test_never_two_for_one_ecu(services, device, assign, firmware, tmp_path, change):
    publish_file(services, tmp_path, "fw-2")
    assign("dev-1", firmware)
    with pytest.raises(Conflict) as caught:
        assign("dev-1", "fw-2")
    assert caught.value.code == "assignment_exists"
    assert [one.state for one in change(assignments.cancel, "dev-1", (), 6)] == ["cancelled"]
    with pytest.raises(NotFound):
        change(assignments.cancel, "dev-1", (), 7)
    assign("dev-1", "fw-2")


def test_forward_only(device, assign, firmware, change, look):
    (one,) = assign("dev-1", firmware)
    one = change(assignments.move_on, one, Progress(updates.APPLIED, "", "waits"), 6)
    assert (one.state, one.reason) == ("applied", "waits")
    assert change(assignments.move_on, one, Progress(updates.DOWNLOADING), 7) == one
    one = change(assignments.move_on, one, Progress(updates.DONE, "OK"), 8)
    assert (one.state, one.code, one.reason) == ("done", "OK", "")
    assert change(assignments.move_on, one, Progress(updates.FAILED, "X", "late"), 9) == one
    (stored,) = look(lambda c: updates.list_assignments(c, {}))
    assert stored == one


def test_names():
    assignments.check_name("spring release", "it")
    for bad in ("", " a", "a\n", "a" * 201, "\ud800"):
        with pytest.raises(BadRequest):
            assignments.check_name(bad, "it")
