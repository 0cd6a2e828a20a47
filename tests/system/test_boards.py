# SPDX-License-Identifier: Apache-2.0
"""Each board that QEMU has boots its image, updates once over HTTP and rolls back once.

A Debian of the board's architecture, with systemd and with Ostrya and none of its compiled helpers:
of 32-bit ARM there are no wheels of them. What is pulled is a delta with a patch in it.
"""

from __future__ import annotations

import json

import pytest

from support import systemd_world
from support.commands import OURS
from support.serving import serving

pytestmark = [pytest.mark.vm, pytest.mark.vm_full, pytest.mark.timeout(5400)]
# What is a host for a guest behind QEMU's own network.
HOST = "10.0.2.2"


@pytest.mark.parametrize("board", systemd_world.MACHINES)
def test_an_update_over_http_and_a_release_that_is_sick(board, tmp_path, record_property):
    if reason := systemd_world.missing(board):
        pytest.skip(reason)
    record_property("told", f"{board}, systemd|an update over HTTP, then a release that is sick")
    world = systemd_world.build_world(board)
    refs = {commit: ref for ref, commit in world.commits.items()}
    repo = systemd_world.repository(world)
    OURS(
        "static-delta", "generate", f"--repo={repo}", "--from=os/1", "--to=os/2", "--if-not-exists"
    )
    OURS("summary", "-u", f"--repo={repo}")
    with (
        serving(repo) as served,
        systemd_world.make_device(world, tmp_path, networked=True) as device,
    ):
        device.power_on()
        assert refs[device.start().commit] == "os/1"
        assert device.wait_complete() == "running"
        assert device.sh("uname -m") == systemd_world.MACHINES[board]
        url = served.url.replace("127.0.0.1", HOST)
        device.sh(f"ostree remote add local_repo {url} --no-gpg-verify")
        assert device.run("python3 -c 'import isal' || python3 -c 'import deflate'")[0] != 0
        said = device.sh("ostree pull --require-static-deltas local_repo:os/2")
        # One of them has all releases, for other tests.
        assert "1 delta parts" in said or board == systemd_world.BOARD, said
        device.sh("echo mine > /etc/mine; ostree admin deploy --stage local_repo:os/2")

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
