# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_taken_back(run, made, served, firmware, schema):
    run.ok("fleet", "assign", made[0], "dev-1", firmware)
    found = run.ok("fleet", "cancel", made[0], "dev-1", "--json").json()
    schema(found, "fleet-cancel")
    assert [one["state"] for one in found["assignments"]] == ["cancelled"]
    assert served.cycle().agreed == ()
    assert "nothing is assigned" in run.fails("fleet", "cancel", made[0], "dev-1", status=80)
    run.ok("fleet", "assign", made[0], "dev-1", firmware)
    assert "need not run fw-1" in run.ok("fleet", "cancel", made[0], "dev-1").out
