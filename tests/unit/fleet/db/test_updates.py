# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from ostrya.fleet.db import devices, updates


def assignment(ecu="e", state=updates.PENDING, **changes):
    found = updates.Assignment(
        0, "a", ecu, "board", "fw", 1, "00", "", "urn:1", state, "", "", 1, 1
    )
    return found._replace(**changes)


@pytest.fixture(autouse=True)
def owner(change):
    change(devices.add_device, "a", 5)


def test_an_ecu_has_one_assignment_that_is_open(change, look):
    change(updates.add_assignment, assignment(state=updates.DONE))
    number = change(updates.add_assignment, assignment())
    with pytest.raises(IntegrityError):
        change(updates.add_assignment, assignment(state=updates.APPLIED))
    assert [one.id for one in look(updates.open_assignments, "a")] == [number]
    change(updates.change_assignment, number, {"state": updates.FAILED})
    assert look(updates.open_assignments, "a") == ()
    assert look(updates.count_assignments) == {"done": 1, "failed": 1}
    assert look(updates.last_assignments, ["e"])["e"].id == number


def test_lists_are_filtered_and_cut(change, look):
    numbers = [change(updates.add_assignment, assignment(f"e{at}")) for at in range(3)]
    found = look(lambda c: updates.list_assignments(c, {"device_id": "a"}, limit=2))
    assert [one.id for one in found] == numbers[:0:-1]
    found = look(lambda c: updates.list_assignments(c, {}, before=numbers[1]))
    assert [one.id for one in found] == numbers[:1]


def test_files_of_a_vehicle_replace_each_other(change, look):
    for version in (1, 2):
        file = updates.DirectorFile("targets", version, 1, 100 * version, b"x" * version)
        change(updates.put_director_file, "a", file)
    assert look(updates.director_files, "a") == {"targets": file}
    assert look(updates.devices_to_sign_for, 201, 1, 10) == ("a",)
    assert look(updates.devices_to_sign_for, 200, 1, 10) == ()
    assert look(updates.devices_to_sign_for, 200, 2, 10) == ("a",)
