# SPDX-License-Identifier: Apache-2.0
"""An image whose recipe says to which fleet its devices belong: what the device's client finds there."""

from __future__ import annotations

import pytest

from ostrya.image.customize.ota import device_credentials
from ostrya.uptane.client.config_files import load_config
from ostrya.uptane.credentials_zip import read_members
from support.commands import OURS
from support.image_world import missing, recipe_rootfs, write_tar

REASON = missing("mke2fs", "debugfs")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "none")
RECIPE = """
name = "car"
board = "qemu-arm64"
outputs = ["raw", "ostree.tar"]
[source]
path = "rootfs.tar"
[repository]
path = "releases"
[ota]
credentials = "credentials.zip"
polling_sec = 60
"""
STATE = "/ostree/deploy/os/var/sota"


def test_the_client_finds_its_server_and_releases_hold_no_secret(tmp_path):
    folder = f"--dir={tmp_path / 'server'}"
    OURS("fleet", "init", tmp_path / "server", "--hostname=gate.example")
    OURS("fleet", "credentials", tmp_path / "credentials.zip", folder)
    write_tar(tmp_path / "rootfs.tar", recipe_rootfs())
    (tmp_path / "image.toml").write_text(RECIPE)
    OURS(
        "image", "build", tmp_path / "image.toml", f"--cache={tmp_path / 'cache'}",
        f"--output-dir={tmp_path}",
    )  # fmt: skip
    disk = tmp_path / "car-qemu-arm64.img"

    OURS("image", "cp", f"{disk}:/usr/lib/sota/conf.d/20-image.toml", tmp_path / "20-image.toml")
    config = load_config((str(tmp_path / "20-image.toml"),)).config
    assert config.provision.provision_path == "/var/sota/credentials.zip"
    assert config.provision.primary_ecu_hardware_id == "qemu-arm64"
    assert config.uptane.polling_sec == 60

    OURS("image", "cp", f"{disk}:root:{STATE}/credentials.zip", tmp_path / "its.zip")
    assert sorted(read_members(str(tmp_path / "its.zip"))) == [
        "autoprov.url",
        "autoprov_credentials.p12",
    ]
    (listed,) = OURS("image", "ls", "-d", f"{disk}:root:{STATE}").splitlines()
    assert listed.split()[:3] == ["drwx------", "0", "0"]

    secret = device_credentials(str(tmp_path / "credentials.zip"))
    assert secret == (tmp_path / "its.zip").read_bytes()
    assert secret in disk.read_bytes()
    assert secret not in (tmp_path / "car-qemu-arm64.ostree.tar").read_bytes()
    assert "sota/credentials" not in OURS(
        "ls", "-R", f"--repo={tmp_path / 'releases'}", "os/stable"
    )
