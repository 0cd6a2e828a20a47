# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_how_it_is(run, made, served, firmware, schema):
    found = run.ok("fleet", "status", made[0], "--json").json()
    schema(found, "fleet-status")
    assert (found["devices"], found["images"]) == (1, 1)
    out = run.ok("fleet", "status", made[0]).out
    assert "devices: 1, 0 of them seen in the last day" in out
    assert "images: 1" in out
