# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_what_a_device_shall_run(run, made, served, firmware, schema):
    found = run.ok("fleet", "assign", made[0], "dev-1", firmware, "--json").json()
    schema(found, "fleet-assign")
    (one,) = found["assignments"]
    assert (one["ecu"], one["state"]) == ("dev-1-primary", "pending")
    (agreed,) = served.cycle().agreed
    assert agreed.name == firmware
    assert "assigned already" in run.fails("fleet", "assign", made[0], "dev-1", firmware, status=80)
    assert "DEVICE and TARGET" in run.fails("fleet", "assign", made[0], "dev-1", status=2)


def test_one_ecu(run, made, served, firmware):
    words = ["fleet", "assign", made[0], "dev-1", firmware]
    assert "has no ECU 'x'" in run.fails(*words, "--ecu=x", status=80)
    out = run.ok(*words, "--ecu=dev-1-primary", "--correlation-id=urn:1").out
    assert out == "dev-1-primary shall run fw-1 (urn:1)\n"
