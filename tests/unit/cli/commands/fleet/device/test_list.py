# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_devices(run, made, served, schema, tmp_path):
    served.send_manifest()
    run.ok("fleet", "device", "add", made[0], "z", f"--output={tmp_path}")
    found = run.ok("fleet", "device", "list", made[0], "--json").json()
    schema(found, "fleet-device-list")
    assert [(one["id"], one["state"]) for one in found["devices"]] == [
        ("dev-1", "idle"),
        ("z", "never seen"),
    ]
    (line,) = run.ok("fleet", "device", "list", made[0], "--search=z").lines
    assert line == "z  never seen  seen never"
    assert run.ok("fleet", "device", "list", made[0], "--group=none").out == ""
