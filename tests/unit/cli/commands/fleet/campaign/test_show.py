# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_wave_by_wave(run, made, spring, schema):
    assert spring() == 1
    found = run.ok("fleet", "campaign", "show", made[0], "spring", "--json").json()
    schema(found, "fleet-campaign-show")
    assert found["devices"][0]["state"] == "accepted"
    lines = run.ok("fleet", "campaign", "show", made[0], "spring", "--devices").lines
    assert lines[0].startswith("spring: fw-1, launched (")
    assert lines[1:] == [
        "  devices are told, in waves of 50%, then all",
        "  it pauses when 10% of a wave have failed",
        "  the next wave begins when 90% of those before have it",
        "  wave 1  1 device  accepted: 1",
        "  dev-1  wave 1  accepted",
    ]
    assert "no campaign 'x'" in run.fails("fleet", "campaign", "show", made[0], "x", status=80)
    assert "one NAME" in run.fails("fleet", "campaign", "show", made[0], status=2)
