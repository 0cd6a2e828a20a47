# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_groups_and_how_many_are_in_them(run, made, served, schema):
    run.ok("fleet", "group", "add", made[0], "north", "dev-1")
    run.ok("fleet", "group", "add", made[0], "south")
    out = run.ok("fleet", "group", "list", made[0]).out
    assert out == "north  1 device\nsouth  0 devices\n"
    schema(run.ok("fleet", "group", "list", made[0], "--json").json(), "fleet-group-list")
