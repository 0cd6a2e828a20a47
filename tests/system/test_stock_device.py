# SPDX-License-Identifier: Apache-2.0
"""A device that has only Debian's ``ostree`` is updated from our server, and boots by our ramdisk."""

from __future__ import annotations

import pytest

from support import stock_world
from support.commands import OURS
from support.serving import serving

pytestmark = [pytest.mark.vm, pytest.mark.vm_full, pytest.mark.timeout(3600)]


@pytest.fixture
def world(tmp_path):
    if reason := stock_world.missing():
        pytest.skip(reason)
    return stock_world.build_world(tmp_path)


@pytest.mark.parametrize("way", ["objects", "delta"])
def test_it_is_updated_from_our_server(world, way, tmp_path, record_property):
    record_property("told", f"{stock_world.BOARD}, stock ostree|updated from our server by {way}")
    if way == "delta":
        OURS("static-delta", "generate", f"--repo={world.repo}", "--from=os/1", "--to=os/2")
    OURS("summary", "-u", f"--repo={world.repo}")
    with (
        serving(world.repo) as served,
        stock_world.make_device(world, tmp_path) as device,
    ):
        url = served.url.replace("127.0.0.1", stock_world.HOST)
        assert device.start().release == "1"
        assert "libostree" in device.sh("ostree --version")
        assert device.sh("command -v ostrya python3; :") == ""
        device.sh(f"ostree remote add local_repo {url} --no-gpg-verify")
        assert "local_repo:os/2" in device.sh("ostree remote refs local_repo")
        required = " --require-static-deltas" if way == "delta" else ""
        device.sh(f"ostree pull{required} local_repo:os/2", timeout=300)
        assert device.sh("ostree rev-parse local_repo:os/2") == world.commits["os/2"]
        device.sh("echo mine > /etc/mine; echo kept > /var/kept")
        device.sh("ostree admin deploy local_repo:os/2", timeout=300)
        assert "(pending)" in device.sh("ostree admin status")
        assert device.restart().release == "2"
        assert device.sh("cat /etc/mine /var/kept") == "mine\nkept"
        assert "(rollback)" in device.sh("ostree admin status")
        device.sh("ostree fsck", timeout=300)
