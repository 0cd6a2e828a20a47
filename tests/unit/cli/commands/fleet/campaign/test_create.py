# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_it_says_who_gets_it_and_when(run, made, served, firmware, schema):
    words = ("fleet", "campaign", "create", made[0])
    out = run.ok(*words, "spring", firmware, "--device=dev-1", "--wave=5%", "--ask").out
    assert out.splitlines() == [
        "spring is for 1 device; a running server moves it on",
        "  wave 1  1 device  offered: 1",
    ]
    assert served.link.ask("GET", "/campaigner/campaigns").json()["campaigns"]
    more = ("--all", "--failures=none", "--advance=70", "--json")
    found = run.ok(*words, "summer", firmware, *more).json()
    schema(found, "fleet-campaign-create")
    assert (found["mode"], found["failures"], found["advance"]) == ("assign", None, 70)
    assert run.ok(*words, "autumn", firmware, "--all", "--json").json()["failures"] == "10%"


def test_what_is_refused(run, made, served, firmware):
    words = ("fleet", "campaign", "create", made[0])
    assert "NAME and TARGET" in run.fails(*words, "spring", status=2)
    assert "for which devices" in run.fails(*words, "spring", firmware, status=2)
    assert "no group 'x'" in run.fails(*words, "spring", firmware, "--group=x", status=80)
    assert "no device 'x'" in run.fails(*words, "spring", firmware, "--device=x", status=80)
    assert "no image 'x'" in run.fails(*words, "spring", "x", "--all", status=80)
    assert "a wave is '7o%'" in run.fails(
        *words, "spring", firmware, "--all", "--wave=7o%", status=80
    )
    assert "advance is 0" in run.fails(
        *words, "spring", firmware, "--all", "--advance=0", status=80
    )
    # Nothing is left of what was refused.
    assert run.ok("fleet", "campaign", "list", made[0]).out == ""
