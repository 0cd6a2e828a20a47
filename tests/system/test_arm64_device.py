# SPDX-License-Identifier: Apache-2.0
"""A Debian of 64-bit ARM with Ostrya in it, on an image built here, under U-Boot and systemd."""

from __future__ import annotations

import json

import pytest

from support import systemd_world

pytestmark = [pytest.mark.vm, pytest.mark.vm_full, pytest.mark.timeout(5400)]


@pytest.fixture(scope="module")
def world():
    if reason := systemd_world.missing(systemd_world.ARM_BOARD):
        pytest.skip(reason)
    return systemd_world.build_world(systemd_world.ARM_BOARD)


def test_an_update_and_a_release_that_is_sick(world, tmp_path, record_property):
    record_property("told", f"{world.board}, systemd|a staged update, then one that is sick")
    refs = {commit: ref for ref, commit in world.commits.items()}
    with systemd_world.make_device(world, tmp_path) as device:
        device.power_on()
        assert refs[device.start().commit] == "os/1"
        assert device.wait_complete() == "running"
        assert device.sh("uname -m") == "aarch64"
        device.sh("echo mine > /etc/mine; ostree admin deploy --stage os/2")

        assert refs[device.restart().commit] == "os/2"
        assert device.wait_complete() == "running"
        assert device.sh("cat /etc/mine /etc/new-in-2") == "mine\n2"
        assert not json.loads(device.sh("ostrya boot status --json"))["rollback"]["on-trial"]
        device.sh("ostree config --repo=/sysroot/ostree/repo set ostrya.rollback-tries 2")
        device.sh("ostree admin deploy os/sick")

        device.running.send("systemctl reboot")
        for expected in ("os/sick", "os/sick", "os/2"):
            assert refs[device.wait_start(600).commit] == expected
        device.log_in()
        assert device.wait_complete() == "running"
        found = json.loads(device.sh("ostrya boot status --json"))["rollback"]
        assert found["last-rollback"]["checksum"] == world.commits["os/sick"]
        assert "the radio is down" in found["last-rollback"]["detail"]
