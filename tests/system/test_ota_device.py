# SPDX-License-Identifier: Apache-2.0
"""A device of a fleet, from its first word to a release that it gives back.

It is started by a real loader, becomes the fleet's by shared credentials, is updated over mutual TLS
and says so once the new release has been found good. A release whose health is red is rolled back
and told as failed. The server shows both.
"""

from __future__ import annotations

import base64
import json
import time

import pytest

from support import fleet_server, systemd_world
from support.commands import OURS
from support.ports import free_port

pytestmark = [pytest.mark.vm, pytest.mark.vm_full, pytest.mark.timeout(5400)]
# What is a host for a guest behind QEMU's own network.
HOST = "10.0.2.2"
DEVICE, BOARD = "unit-1", "test-board"
FOLDER = "/etc/sota"
CONFIG = f"""\
[provision]
provision_path = "{FOLDER}/credentials.zip"
device_id = "{DEVICE}"
primary_ecu_hardware_id = "{BOARD}"
[uptane]
polling_sec = 5
force_install_completion = true
install_attempts = 1
[telemetry]
report_hardware = false
"""
WAIT_S = 1500
REASON = systemd_world.missing()


class Fleet:
    """A server that runs, with releases and credentials."""

    def __init__(self, top, server, url):
        self._folder = f"--dir={top / 'server'}"
        self._top = top
        self.server = server
        self.url = url
        self.credentials = top / "credentials.zip"
        OURS("fleet", "credentials", self.credentials, self._folder)

    def publish(self, repo, ref, commit):
        """Push a release, and say that it exists; return its name."""
        OURS("push", f"--repo={repo}", self.credentials, ref)
        name = ref.replace("/", "-")
        about = (f"--commit={commit}", f"--hardware-id={BOARD}")
        OURS("fleet", "targets", "add", self._folder, name, *about)
        return name

    def ask(self, *words):
        """Ask the server's own tool."""
        return json.loads(OURS("fleet", *words, self._folder, "--json"))

    def wait_end(self):
        """Wait until the last assignment of the device has come to an end; return it."""

        def look():
            found = self.ask("device", "show", DEVICE)["history"][0]
            return found if found["state"] in ("done", "failed") else None

        return wait_until(look)


@pytest.fixture
def fleet(tmp_path):
    port, tools = free_port(), free_port()
    doors = {"listen": f"127.0.0.1:{port}", "admin_listen": f"127.0.0.1:{tools}"}
    folder = fleet_server.make(tmp_path / "server", hostnames=("127.0.0.1", HOST), **doors)
    with fleet_server.start(folder) as server:
        yield Fleet(tmp_path, server, f"https://{HOST}:{port}")


def upload(device, path, data):
    """Write a file on the device, in lines that a terminal takes."""
    device.sh(f"mkdir -p {path.rpartition('/')[0]}; : > {path}.64")
    lines = base64.encodebytes(data).decode().splitlines()
    for at in range(0, len(lines), 40):
        part = "\n".join(lines[at : at + 40])
        device.sh(f"cat >> {path}.64 <<'END'\n{part}\nEND")
    device.sh(f"base64 -d {path}.64 > {path}; rm {path}.64")


def wait_until(check):
    """Wait until something holds; return what it is."""
    deadline = time.monotonic() + WAIT_S
    while not (found := check()):
        assert time.monotonic() < deadline
        time.sleep(5)
    return found


def configure(device, fleet):
    """Tell the device where its server is, and start its client."""
    upload(device, f"{FOLDER}/credentials.zip", fleet.credentials.read_bytes())
    config = CONFIG + f"[tls]\nserver = {json.dumps(fleet.url)}\n"
    upload(device, f"{FOLDER}/conf.d/50-fleet.toml", config.encode())
    device.sh("systemctl start ostrya-ota")


@pytest.mark.skipif(bool(REASON), reason=REASON or "none")
def test_updates_over_mutual_tls_and_a_release_that_is_given_back(fleet, tmp_path, record_property):
    record_property("told", f"{systemd_world.BOARD}, systemd|updates of a fleet, good and sick")
    world = systemd_world.build_world()
    repo = systemd_world.repository(world)
    refs = {commit: ref for ref, commit in world.commits.items()}
    good, sick = (fleet.publish(repo, ref, world.commits[ref]) for ref in ("os/2", "os/sick"))
    with systemd_world.make_device(world, tmp_path, networked=True) as device:
        device.power_on()
        assert refs[device.start().commit] == "os/1"
        assert device.wait_complete() == "running"
        device.sh("ostree config --repo=/sysroot/ostree/repo set ostrya.rollback-tries 1")
        configure(device, fleet)
        known = wait_until(lambda: fleet.ask("device", "list")["devices"])
        assert known[0]["id"] == DEVICE

        fleet.ask("assign", DEVICE, good)
        assert refs[device.wait_start(WAIT_S).commit] == "os/2"
        device.log_in()
        assert device.wait_complete() == "running"
        assert fleet.wait_end()["state"] == "done"

        fleet.ask("assign", DEVICE, sick)
        assert refs[device.wait_start(WAIT_S).commit] == "os/sick"
        assert refs[device.wait_start(WAIT_S).commit] == "os/2"
        device.log_in()
        found = fleet.wait_end()
        assert found["state"] == "failed"
        assert "the radio is down" in found["reason"], found
