# SPDX-License-Identifier: Apache-2.0
"""Devices, as programs, whose clock is wrong: one without a battery starts in 1970."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from support import fleet_server
from support.gateway import Gateway
from support.ota_configured import ConfiguredDevice
from support.wrong_clocks import clock_environment

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("ota-clock")]
FIRST = "1970-01-01 00:00:10"


def ostrya(*argv: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ostrya", *map(str, argv)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = fleet_server.make(tmp_path_factory.mktemp("clock") / "srv")
    with fleet_server.start(folder) as running:
        yield running


def make_device(server, folder, name: str) -> ConfiguredDevice:
    path = folder / "c.zip"
    ostrya("fleet", "credentials", f"--dir={server.folder}", "--devices-only", path)
    return ConfiguredDevice(
        folder / "d",
        tls={"server": server.url},
        provision={"provision_path": str(path), "device_id": name},
    )


def troubles(device: ConfiguredDevice) -> dict[str, dict]:
    found = json.loads(device.run("info", "--json").stdout)["troubles"]
    return {one["area"]: one for one in found}


def test_in_1970_it_is_provisioned_and_updated_and_says_what_is_wrong(server, tmp_path):
    device = make_device(server, tmp_path, "old")
    device.environment = clock_environment(FIRST)
    assert "got its certificate" in device.run("provision").stdout
    (tmp_path / "fw").write_bytes(b"firmware" * 100)
    srv = f"--dir={server.folder}"
    ostrya("fleet", "targets", "add", srv, "--hardware-id=board", "fw-clock", tmp_path / "fw")
    ostrya("fleet", "assign", srv, "old", "fw-clock")
    assert device.once()["end"] == "installed"
    (wrong,) = troubles(device).values()
    assert wrong["condition"] == "clock-wrong"
    assert wrong["message"].startswith("the clock says 1970-01-01T00:00:1")
    events = json.loads(ostrya("fleet", "events", srv, "--device=old", "--json"))["events"]
    (told,) = [one for one in events if one["type"] == "ClockWrong"]
    assert "the clock says 1970-01-01T00:00:1" in json.dumps(told)
    # Nothing else is said with that clock's time.
    assert not [one for one in events if one["device_time"].startswith("1970")]
    device.environment = {}
    assert device.once()["end"] == "up-to-date"
    assert troubles(device) == {}


def test_in_2100_nothing_is_believed_and_the_clock_is_named(server, tmp_path):
    device = make_device(server, tmp_path, "early")
    device.run("provision")
    device.environment = clock_environment("2100-01-01 00:00:00")
    device.run("run", "once", status=70)
    found = troubles(device)["updates"]
    assert found["condition"] == "server-untrusted"
    assert "the certificate of 127.0.0.1 was valid until 20" in found["message"]
    assert "and the clock says 2100-01-01T00:00:0" in found["message"]
    device.environment = {}
    assert device.once()["end"] == "up-to-date"
    assert troubles(device) == {}


def test_a_fleet_whose_certificates_are_of_today(tmp_path):
    with Gateway(tmp_path / "gateway") as gateway:
        identity = gateway.ca.issue("car")
        folder = tmp_path / "d/import"
        cert, key = identity.write(folder, "client")
        device = ConfiguredDevice(
            tmp_path / "d",
            tls={"server": gateway.url},
            **{
                "import": {
                    "tls_cacert_path": gateway.ca_path, "tls_clientcert_path": cert,
                    "tls_pkey_path": key,
                }
            },
        )  # fmt: skip
        device.environment = clock_environment(FIRST)
        told = device.run("provision", status=70).stderr
        assert "the clock says 1970-01-01T00:00:1" in told
        assert "the authority's certificate is valid from 20" in told
        assert "set the clock" in told
        found = troubles(device)
        assert {one["condition"] for one in found.values()} == {"clock-wrong"}
        assert gateway.asked == []
