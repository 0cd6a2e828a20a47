# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_how_far_all_are(run, made, spring, schema):
    found = run.ok("fleet", "campaign", "list", made[0], "--json").json()
    schema(found, "fleet-campaign-list")
    (line,) = run.ok("fleet", "campaign", "list", made[0]).lines
    assert line.startswith("spring  launched  fw-1  since ")
    assert line.endswith("  0 of 1 device have it, 0 failed")
    assert run.ok("fleet", "campaign", "list", made[0], "--state=paused").out == ""
