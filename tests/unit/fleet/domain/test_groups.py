# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fleet.domain import groups
from ostrya.fleet.errors import BadRequest, Conflict, NotFound


def test_devices_join_and_leave_all_or_none(device, change, look):
    change(groups.add, "north", 5)
    with pytest.raises(NotFound):
        change(groups.join, "north", [device.name, "nobody"])
    assert look(groups.members, "north") == ()
    change(groups.join, "north", [device.name])
    change(groups.join, "north", [device.name])
    assert look(groups.members, "north") == (device.name,)
    with pytest.raises(NotFound, match="not in the group"):
        change(groups.leave, "north", ["nobody"])
    change(groups.leave, "north", [device.name])
    change(groups.remove, "north")
    with pytest.raises(NotFound):
        look(groups.members, "north")


def test_names(change):
    change(groups.add, "north", 5)
    with pytest.raises(Conflict):
        change(groups.add, "north", 6)
    with pytest.raises(BadRequest):
        change(groups.add, " ", 6)
