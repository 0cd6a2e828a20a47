# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_a_group_and_its_devices(run, made, served):
    assert run.ok("fleet", "group", "add", made[0], "north").out == "north has 0 devices\n"
    assert run.ok("fleet", "group", "add", made[0], "north", "dev-1").out == "north has 1 device\n"
    assert run.ok("fleet", "group", "add", made[0], "south", "dev-1").out == "south has 1 device\n"
    assert "already" in run.fails("fleet", "group", "add", made[0], "north", status=80)
    assert "no device" in run.fails("fleet", "group", "add", made[0], "east", "x", status=80)
    # Nothing is left of what was refused.
    assert "no group" in run.fails("fleet", "group", "show", made[0], "east", status=80)
    assert "a NAME" in run.fails("fleet", "group", "add", made[0], status=2)
