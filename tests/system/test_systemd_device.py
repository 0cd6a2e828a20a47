# SPDX-License-Identifier: Apache-2.0
"""Devices with Debian's systemd as process 1, U-Boot, and our units: whole stories, in QEMU.

What loaders do is tested with devices that start faster (test_rollback); here it is what systemd does
with our units, in which order, and what a system that is running sees of its deployment.
"""

from __future__ import annotations

import json

import pytest

from support import systemd_world
from support.systemd_device import Start, SystemdDevice

pytestmark = [pytest.mark.vm, pytest.mark.vm_full, pytest.mark.timeout(5400)]
PICK_TRIAL, PICK_TRIES = "trial", "fallback-tries"


@pytest.fixture(scope="module")
def world() -> systemd_world.World:
    if reason := systemd_world.missing():
        pytest.skip(reason)
    return systemd_world.build_world()


@pytest.fixture
def device(world, tmp_path, record_property, request):
    story = request.node.name.removeprefix("test_").replace("_", " ")
    record_property("told", f"{systemd_world.BOARD}, systemd|{story}")
    with systemd_world.make_device(world, tmp_path) as device:
        device.power_on()
        assert names(world, device.start()) == ("os/1", "")
        assert device.wait_complete() == "running"
        yield device


def names(world: systemd_world.World, start: Start) -> tuple[str, str]:
    """Which release was started, and why."""
    refs = {commit: ref for ref, commit in world.commits.items()}
    return refs[start.commit], start.pick


def rollback(device: SystemdDevice) -> dict:
    """What ``boot status`` says."""
    return json.loads(device.sh("ostrya boot status --json"))["rollback"]


def deployments(device: SystemdDevice) -> list[dict]:
    """What ``admin status`` says."""
    return json.loads(device.sh("ostree admin status --json"))["deployments"]


def writes(device: SystemdDevice, path: str) -> bool:
    """Whether a file can be written."""
    return device.run(f"touch {path}")[0] == 0


def test_a_staged_update_and_what_lasts(device, world):
    assert not writes(device, "/usr/x")
    assert not writes(device, "/x")
    device.sh("echo mine > /etc/mine; echo mine > /etc/issue; rm /etc/debian_version")
    device.sh("echo kept > /var/kept; echo kept > /root/kept")
    device.sh("ostree admin deploy --stage --karg-append=test.karg=1 os/2")
    assert device.sh("systemctl is-active ostree-finalize-staged.service") == "active"
    assert "(staged)" in device.sh("ostree admin status")

    start = device.restart()
    assert names(world, start) == ("os/2", PICK_TRIAL)
    assert "test.karg=1" in start.kargs
    assert device.wait_complete() == "running"
    # The units alone have ended its trial.
    assert not rollback(device)["on-trial"]
    assert device.sh("cat /etc/mine /etc/issue /etc/new-in-2 /etc/issue.net").split("\n") == [
        "mine",
        "mine",
        "2",
        "changed in 2",
    ]
    assert device.run("test -e /etc/debian_version")[0] == 1
    assert device.sh("cat /var/kept /root/kept") == "kept\nkept"
    assert device.sh("systemctl --failed --no-legend") == ""

    start = device.restart()
    assert names(world, start) == ("os/2", "")
    assert "test.karg=1" in start.kargs

    device.sh("ostree admin rollback")
    start = device.restart()
    assert names(world, start) == ("os/1", "")
    assert "test.karg=1" not in start.kargs
    assert device.wait_complete() == "running"
    assert device.sh("cat /etc/issue") == "mine"
    assert device.run("test -e /etc/new-in-2")[0] == 1


def test_overlays_on_usr(device, world):
    device.sh("ostree admin unlock")
    assert writes(device, "/usr/development")
    assert deployments(device)[0]["unlocked"] == "development"

    assert names(world, device.restart()) == ("os/1", "")
    assert device.run("test -e /usr/development")[0] == 1
    assert not writes(device, "/usr/x")
    device.sh("ostree admin unlock --hotfix")
    device.sh("echo fixed > /usr/share/hotfix")

    assert names(world, device.restart()) == ("os/1", "")
    assert device.wait_complete() == "running"
    assert device.sh("cat /usr/share/hotfix") == "fixed"
    assert deployments(device)[0]["unlocked"] == "hotfix"
    device.sh("ostree admin deploy os/2")

    assert names(world, device.restart()) == ("os/2", PICK_TRIAL)
    assert device.wait_complete() == "running"
    assert device.run("test -e /usr/share/hotfix")[0] == 1
    assert not writes(device, "/usr/x")
    assert deployments(device)[0]["unlocked"] == "none"


def test_a_sick_release_restarts_and_is_left(device, world):
    device.sh("ostree config --repo=/sysroot/ostree/repo set ostrya.rollback-tries 2")
    device.sh("ostree admin deploy os/sick")
    device.running.send("systemctl reboot")
    for _ in range(2):
        assert names(world, device.wait_start(420)) == ("os/sick", PICK_TRIAL)
    assert names(world, device.wait_start(420)) == ("os/1", PICK_TRIES)
    device.log_in()
    assert device.wait_complete() == "running"
    is_back(device, world, "os/sick")


def test_a_release_that_hangs_is_ended_by_the_deadline(device, world):
    device.sh("ostree config --repo=/sysroot/ostree/repo set ostrya.rollback-tries 1")
    # Here the journal of a start is kept.
    device.sh("mkdir -p /var/log/journal; ostree admin deploy os/hang")
    device.running.send("systemctl reboot")
    assert names(world, device.wait_start(420)) == ("os/hang", PICK_TRIAL)
    assert names(world, device.wait_start(600)) == ("os/1", PICK_TRIES)
    device.log_in()
    assert device.wait_complete() == "running"
    said = device.sh("journalctl -b -1 -u ostrya-trial-deadline.service -o cat")
    assert "did not come to its end in time" in said
    is_back(device, world, "os/hang")


def is_back(device: SystemdDevice, world: systemd_world.World, bad: str) -> None:
    """See that release 1 is the default again, says why, and goes on being it."""
    found = rollback(device)
    assert found["last-rollback"]["checksum"] == world.commits[bad]
    assert found["last-rollback"]["why"] == "tries"
    assert not found["on-trial"]
    assert found["damage"] == []
    first = deployments(device)[0]
    assert first["booted"]
    assert first["checksum"] == world.commits["os/1"]
    refused = device.run(f"ostree admin deploy {bad}")
    assert refused[0] != 0
    assert "rolled back" in refused[1]
    device.running.send("systemctl reboot")
    assert names(world, device.wait_start()) == ("os/1", "")
