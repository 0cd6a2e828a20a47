# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_forgotten(run, made, served):
    assert run.ok("fleet", "device", "remove", made[0], "dev-1").out == "dev-1 was removed\n"
    assert served.send_manifest().status == 403
    assert run.ok("fleet", "device", "list", made[0]).out == ""
    assert "no device" in run.fails("fleet", "device", "remove", made[0], "dev-1", status=80)
