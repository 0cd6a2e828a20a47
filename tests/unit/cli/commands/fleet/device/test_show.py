# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re


def test_a_device(run, made, served, firmware, schema):
    served.send_manifest()
    run.ok("fleet", "assign", made[0], "dev-1", firmware)
    found = run.ok("fleet", "device", "show", made[0], "dev-1", "--json").json()
    schema(found, "fleet-device-show")
    assert found["history"][0]["target"] == firmware
    lines = run.ok("fleet", "device", "show", made[0], "dev-1").lines
    assert lines[0] == "dev-1: updating"
    # What did not come from here has no name, but a digest.
    runs = next(line for line in lines if line.startswith("ECU dev-1-primary (Primary), a board"))
    assert re.search(r": unknown \([0-9a-f]{12}\)$", runs)
    assert "there is no device 'x'" in run.fails("fleet", "device", "show", made[0], "x", status=80)
