# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_devices_leave_and_groups_are_forgotten(run, made, served):
    run.ok("fleet", "group", "add", made[0], "north", "dev-1")
    words = ("fleet", "group", "remove", made[0])
    assert run.ok(*words, "north", "dev-1").out == "dev-1 is in north no more\n"
    assert "not in the group" in run.fails(*words, "north", "dev-1", status=80)
    assert run.ok(*words, "north").out == "there is no group north any more\n"
    assert "no group 'north'" in run.fails(*words, "north", status=80)
    assert "a NAME" in run.fails(*words, status=2)
