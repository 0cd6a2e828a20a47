# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_trusted_no_more(run, made, served):
    assert served.send_manifest().status == 200
    out = run.ok("fleet", "device", "revoke", made[0], "dev-1", "--reason=stolen").out
    assert out == "dev-1: 1 certificate is not trusted any more\n"
    reply = served.send_manifest()
    assert reply.status == 403
    assert "stolen" in reply.json()["description"]
    assert "no device" in run.fails("fleet", "device", "revoke", made[0], "x", status=80)
