# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.fleet.db import devices, groups


def test_groups(change, look):
    change(devices.add_device, "a", 5)
    change(groups.add_group, "g", 6)
    change(groups.join_group, "g", "a")
    change(groups.join_group, "g", "a")
    assert look(groups.list_groups) == (("g", 6, 1),)
    assert look(groups.groups_of, "a") == ("g",)
    assert [one.id for one in look(lambda c: devices.list_devices(c, group="g"))] == ["a"]
    change(devices.delete_device, "a")
    assert look(groups.group_members, "g") == ()
