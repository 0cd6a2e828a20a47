# SPDX-License-Identifier: Apache-2.0
"""Devices, as programs, update themselves from a server, over mutual TLS."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from support import fleet_server
from support.machines import Machine
from support.ota_configured import ConfiguredDevice
from support.ota_sysroot import Releases

KILLS = 12
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("fleet-client")]


def ostrya(*argv: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ostrya", *map(str, argv)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


class Fleet:
    """A server that runs, and what a person does there."""

    def __init__(self, folder) -> None:
        self.folder = fleet_server.make(folder / "srv")
        self.top = folder
        self._zips = 0

    def credentials(self) -> str:
        self._zips += 1
        path = self.top / f"cred-{self._zips}.zip"
        ostrya("fleet", "credentials", f"--dir={self.folder}", "--devices-only", path)
        return str(path)

    def devices(self) -> list[str]:
        found = json.loads(ostrya("fleet", "device", "list", f"--dir={self.folder}", "--json"))
        return [one["id"] for one in found["devices"]]

    def newest(self, device: ConfiguredDevice) -> str:
        """Let a device register, and return what it is called."""
        before = set(self.devices())
        device.once()
        (found,) = set(self.devices()) - before
        return found

    def publish(self, name: str, *how: object, kind: str = "board") -> None:
        ostrya(
            "fleet", "targets", "add", f"--dir={self.folder}", f"--hardware-id={kind}", name, *how
        )

    def assign(self, device: str, name: str) -> None:
        ostrya("fleet", "assign", f"--dir={self.folder}", device, name)

    def shown(self, device: str) -> dict:
        return json.loads(
            ostrya("fleet", "device", "show", f"--dir={self.folder}", "--json", device)
        )


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    found = Fleet(tmp_path_factory.mktemp("fleet"))
    with fleet_server.start(found.folder) as server:
        found.server = server
        found.url = server.url
        yield found


def make_device(fleet, folder, **sections) -> ConfiguredDevice:
    sections["provision"] = {
        "provision_path": fleet.credentials(), **sections.get("provision", {}),
        "primary_ecu_hardware_id": sections.get("provision", {}).get(
            "primary_ecu_hardware_id", "board"
        ),
    }  # fmt: skip
    return ConfiguredDevice(folder, tls={"server": fleet.url}, **sections)


def test_a_file(fleet, tmp_path):
    device = make_device(fleet, tmp_path / "d")
    name = fleet.newest(device)
    (tmp_path / "fw").write_bytes(b"firmware" * 1000)
    fleet.publish("fw-1", tmp_path / "fw")
    fleet.assign(name, "fw-1")
    assert device.once("check")["end"] == "available"
    assert device.once("download")["end"] == "downloaded"
    assert device.once("install")["end"] == "installed"
    assert device.once()["end"] == "up-to-date"
    assert "fw-1" in json.dumps(fleet.shown(name))


def test_the_server_knows_what_the_device_says_of_itself(fleet, tmp_path):
    (tmp_path / "hw.json").write_text('{"id": "board", "clock": 1.5}')
    (tmp_path / "packages").write_text("bash 5.2\n")
    device = make_device(
        fleet, tmp_path / "d",
        pacman={"packages_file": str(tmp_path / "packages")},
        telemetry={"report_hardware": True, "hardware_command": f"cat {tmp_path}/hw.json"},
        p11={"pass": "do-not-tell"},
    )  # fmt: skip
    name = fleet.newest(device)
    first = fleet.shown(name)["data"]
    assert first["hardware"]["value"] == {"id": "board", "clock": 1.5}
    assert first["packages"]["value"] == [{"name": "bash", "version": "5.2"}]
    assert first["network"]["value"]["hostname"]
    assert 'primary_ecu_hardware_id = "board"' in first["config"]["value"]
    assert "do-not-tell" not in first["config"]["value"]
    time.sleep(1.1)
    (tmp_path / "packages").write_text("bash 5.3\n")
    device.once("download")
    assert fleet.shown(name)["data"] == first
    device.once("check")
    second = fleet.shown(name)["data"]
    assert second["packages"]["value"] == [{"name": "bash", "version": "5.3"}]
    # What has not changed was not sent again.
    assert {kind for kind in first if first[kind] != second[kind]} == {"packages"}


def test_a_commit_and_a_restart(fleet, tmp_path):
    machine = Machine(tmp_path)
    machine.deploy(machine.commit("1"))
    releases = Releases(machine, tmp_path)
    checksum = releases.make("2", sizes=True)
    full = tmp_path / "full.zip"
    ostrya("fleet", "credentials", f"--dir={fleet.folder}", full)
    ostrya(
        "push", f"--repo={releases.repo.path}", f"--credentials={full}",
        f"--tls-ca={fleet.server.ca}", f"{fleet.server.addresses['tools']}/treehub", "test/os",
    )  # fmt: skip
    fleet.publish("os-2", f"--commit={checksum}", kind="machine")
    device = make_device(
        fleet, tmp_path / "d",
        provision={"primary_ecu_hardware_id": "machine"},
        pacman={
            "type": "ostree", "sysroot": str(machine.root), "os": "test", "booted": "staged",
        },
    )  # fmt: skip
    name = fleet.newest(device)
    fleet.assign(name, "os-2")
    assert device.once()["end"] == "pending-restart"
    assert machine.loaded.deployments[0].checksum == checksum
    system = json.loads(device.run("info", "--json").stdout)["system"]
    assert (system["path"], system["problem"]) == (str(machine.root), None)
    first = system["deployments"][0]
    assert (first["checksum"], first["image"], first["next_boot"]) == (checksum, "os-2", True)
    assert f"  test {checksum}.0: os-2" in device.run("info").stdout
    assert device.once()["end"] == "pending-restart"
    device.restart()
    done = device.run("run", "once", "--json")
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["end"] == "up-to-date"
    assert found["message"].startswith("os-2 runs now on ")
    assert device.once()["message"] == ""
    assert "os-2" in json.dumps(fleet.shown(name))
    machine.close()
    releases.repo.close()


def test_applications_speak_to_it(fleet, tmp_path):
    device = make_device(
        fleet, tmp_path / "d",
        control={"socket": str(tmp_path / "d/c.sock"), "consent": "required"},
    )  # fmt: skip
    name = fleet.newest(device)
    (tmp_path / "fw").write_bytes(b"consented" * 1000)
    fleet.publish("fw-2", tmp_path / "fw")
    fleet.assign(name, "fw-2")
    process = subprocess.Popen(device.argv("run"), stderr=subprocess.PIPE, text=True)
    try:
        status = {}
        for _ in range(300):
            if (tmp_path / "d/c.sock").exists():
                status = json.loads(device.run("control", "status").stdout)
                if status.get("phase") == "awaiting-consent":
                    break
            time.sleep(0.1)
        assert status["update"]["images"][0]["image"] == "fw-2"
        told = device.run("control", "accept", f"--update={status['update']['id']}").stdout
        events = [json.loads(line) for line in told.splitlines()]
        assert {one["event"] for one in events} <= {"phase", "progress", "status", "finished"}
        assert events[-1]["end"] == "installed"
        busy = device.run("run", "once", status=70).stderr
        assert "a client works with" in busy
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM, said
    assert not (tmp_path / "d/c.sock").exists()
    assert "no client can be spoken to" in device.run("control", "status", status=70).stderr


def test_a_server_that_is_away_is_said(fleet, tmp_path):
    device = make_device(fleet, tmp_path / "d", network={"retries": 0})
    fleet.newest(device)
    text = device.config.read_text().replace(fleet.url, "https://127.0.0.1:9")
    device.config.write_text(text)
    done = device.run("run", "once", status=70)
    assert "cannot be reached" in done.stderr
    assert done.stderr.startswith("error: ")
    assert "an update cycle failed" in device.run("run", "once", "-v", status=70).stderr
    os.unlink(device.config)
    assert "there is no configuration" in device.run("run", "once", status=70).stderr


def test_a_client_that_is_killed_again_and_again(fleet, tmp_path):
    """SIGKILL at any moment: one installation, and the server has every event once."""
    device = make_device(fleet, tmp_path / "d", pacman={"fake_need_reboot": True})
    name = fleet.newest(device)
    (tmp_path / "fw").write_bytes(os.urandom(300_000))
    fleet.publish("fw-3", tmp_path / "fw")
    fleet.assign(name, "fw-3")
    chance = random.Random(7)
    for turn in range(KILLS):
        process = subprocess.Popen(device.argv("run", "once"), stderr=subprocess.DEVNULL)
        try:
            process.wait(chance.uniform(0.1, 1.2))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if turn == KILLS // 2 and (tmp_path / "d/run/need_reboot").exists():
            device.restart()
    if device.once()["end"] == "pending-restart":
        device.restart()
    assert device.once()["end"] == "up-to-date"
    found = json.loads(
        ostrya("fleet", "events", f"--dir={fleet.folder}", f"--device={name}", "--json")
    )["events"]
    kinds = [one["type"] for one in found if one["type"].startswith("EcuInstallation")]
    assert sorted(kinds) == [
        "EcuInstallationApplied", "EcuInstallationCompleted", "EcuInstallationStarted",
    ]  # fmt: skip
    assert "fw-3" in json.dumps(fleet.shown(name))
