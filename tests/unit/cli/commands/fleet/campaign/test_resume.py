# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_it_goes_on(run, made, spring, served, schema):
    run.ok("fleet", "campaign", "pause", made[0], "spring")
    assert run.ok("fleet", "campaign", "resume", made[0], "spring").lines == [
        "spring goes on",
        "  wave 1  1 device  waiting: 1",
    ]
    assert spring() == 1
    (agreed,) = served.cycle().agreed
    assert agreed.name == "fw-1"
    assert "is launched" in run.fails("fleet", "campaign", "resume", made[0], "spring", status=80)
