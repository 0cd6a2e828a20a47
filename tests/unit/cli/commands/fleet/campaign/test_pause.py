# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_nobody_begins_any_more(run, made, spring, served, schema):
    spring()
    found = run.ok("fleet", "campaign", "pause", made[0], "spring", "--json").json()
    schema(found, "fleet-campaign-pause")
    assert found["state"] == "paused"
    assert spring() == 0
    assert served.cycle().agreed == ()
    shown = run.ok("fleet", "campaign", "show", made[0], "spring")
    assert "paused: its owner paused it" in shown.err
    assert "is paused" in run.fails("fleet", "campaign", "pause", made[0], "spring", status=80)
    assert "one NAME" in run.fails("fleet", "campaign", "pause", made[0], status=2)
