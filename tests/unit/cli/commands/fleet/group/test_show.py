# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_who_is_in_it(run, made, served, schema):
    run.ok("fleet", "group", "add", made[0], "north", "dev-1")
    assert run.ok("fleet", "group", "show", made[0], "north").out == "dev-1\n"
    schema(run.ok("fleet", "group", "show", made[0], "north", "--json").json(), "fleet-group-show")
    assert "one NAME" in run.fails("fleet", "group", "show", made[0], status=2)
