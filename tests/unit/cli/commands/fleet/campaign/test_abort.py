# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_it_ends(run, made, spring, served, schema):
    spring()
    found = run.ok("fleet", "campaign", "abort", made[0], "spring", "--json").json()
    schema(found, "fleet-campaign-abort")
    assert found["progress"][0]["devices"] == {"withdrawn": 1}
    assert served.cycle().agreed == ()
    words = run.fails("fleet", "campaign", "resume", made[0], "spring", status=80)
    assert "is cancelled" in words
