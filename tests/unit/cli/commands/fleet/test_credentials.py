# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.uptane.author.credentials import read_credentials


def test_what_is_in_it(run, made, tmp_path):
    path = tmp_path / "c.zip"
    out = run.ok("fleet", "credentials", made[0], path, "--name=ci", "--targets-key").out
    assert "registers devices, and pushes" in out
    assert "leads devices to https://localhost:8443, tools at https://localhost:8444\n" in out
    found = read_credentials(str(path))
    assert {"autoprov.url", "autoprov_credentials.p12", "client_auth.p12", "targets.sec"} <= set(
        found.members
    )
    assert "exists already" in run.fails("fleet", "credentials", made[0], path, status=2)
    assert run.ok("fleet", "token", "list", made[0]).out.startswith("ci  push  ")


def test_for_devices_alone(run, made, tmp_path):
    path = tmp_path / "c.zip"
    out = run.ok("fleet", "credentials", made[0], path, "--devices-only").out
    assert out.splitlines()[0].endswith("it registers devices")
    assert out.endswith("leads devices to https://localhost:8443\n")
    assert "treehub.json" not in read_credentials(str(path)).members
    assert run.ok("fleet", "token", "list", made[0]).out == ""
    assert "one FILE" in run.fails("fleet", "credentials", made[0], status=2)
