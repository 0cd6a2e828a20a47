# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import subprocess
import sys


def told(uuid, kind="A", **facts):
    return {"id": uuid, "eventType": {"id": kind, "version": 0}, "event": facts}


def send(device, *events):
    assert device.link.ask("POST", "/events", json.dumps(events).encode()).status == 200


def test_what_happened(run, made, served, schema):
    send(
        served, told("1"), told("2", "B", ecu="e", success=False, description="why\nnot"), told("3")
    )
    found = run.ok("fleet", "events", made[0], "--json").json()
    schema(found, "fleet-events")
    assert [one["uuid"] for one in found["events"]] == ["1", "2", "3"]
    (line,) = run.ok("fleet", "events", made[0], "--type=B", "--device=dev-1").lines
    assert line.split()[1:] == ["dev-1", "B", "e", "failed", "whynot"]
    assert len(run.ok("fleet", "events", made[0], "--last=1").lines) == 1
    assert run.ok("fleet", "events", made[0], "--device=x").out == ""


def test_more_as_it_comes(made, served):
    send(served, told("1"))
    argv = [sys.executable, "-m", "ostrya", "fleet", "events", made[0], "--follow", "--json"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(process.stdout.readline())["uuid"] == "1"
        send(served, told("2"))
        assert json.loads(process.stdout.readline())["uuid"] == "2"
    finally:
        process.terminate()
        process.stdout.close()
        assert process.wait(20) in {143, -15}
