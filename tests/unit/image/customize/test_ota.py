# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import os
import tomllib
import zipfile

import pytest

from ostrya.image.customize.ota import (
    device_credentials,
    set_up_ota,
    state_files,
    tell_device,
)
from ostrya.image.deployments import StateFile
from ostrya.image.errors import SourceError
from ostrya.image.live_tree import LiveTree
from ostrya.image.recipe.values import Ota, Recipe

IMAGE, DEVICE = "/usr/lib/sota/conf.d/20-image.toml", "/etc/sota/conf.d/20-device.toml"
PEM = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
MEMBERS = {
    "autoprov.url": b"https://gate:8443",
    "autoprov_credentials.p12": b"p12",
    "treehub.json": b"{}",
    "targets.sec": b"secret",
}


@pytest.fixture
def credentials(tmp_path):
    def make(members):
        path = tmp_path / "credentials.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return str(path)

    return make


def members_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_nothing_is_set_up_where_nothing_is_said(places, said):
    set_up_ota(places, Recipe("r", board="b"), said.append)
    assert not places.exists(IMAGE)
    assert said == []
    assert state_files(Ota()) == ()


def test_settings_are_in_the_release_and_secrets_are_not(places, said, credentials, tmp_path):
    more = tmp_path / "50-more.toml"
    more.write_text("[pacman]\n")
    ota = Ota(credentials(MEMBERS), polling_sec=300, config_files=(str(more),))
    set_up_ota(places, Recipe("r", board="qemu-arm", ota=ota), said.append)
    assert tomllib.loads(places.read_text(IMAGE)) == {
        "provision": {
            "provision_path": "/var/sota/credentials.zip",
            "primary_ecu_hardware_id": "qemu-arm",
        },
        "uptane": {"polling_sec": 300},
    }
    assert places.read_text("/usr/lib/sota/conf.d/50-more.toml") == "[pacman]\n"
    assert not places.exists("/var/sota")


def test_of_credentials_devices_get_what_is_theirs(credentials):
    first = device_credentials(credentials(MEMBERS))
    assert members_of(first) == {name: MEMBERS[name] for name in sorted(MEMBERS)[:2]}
    assert device_credentials(credentials(dict(reversed(MEMBERS.items())))) == first
    assert state_files(Ota(credentials(MEMBERS))) == (StateFile("sota/credentials.zip", first),)


def test_credentials_of_tools_let_no_device_in(credentials, tmp_path):
    with pytest.raises(SourceError, match="it is for tools") as caught:
        device_credentials(credentials({"treehub.json": b"{}"}))
    assert "--devices-only" in caught.value.hint
    (tmp_path / "x").write_bytes(b"nonsense")
    with pytest.raises(SourceError, match=r"x is no credentials\.zip"):
        device_credentials(str(tmp_path / "x"))


def test_a_certificate_of_its_own(places, said, tmp_path):
    key = tmp_path / "car-1.key"
    key.write_text(PEM)
    ota = Ota(server="https://gate", hardware_id="h", ca=PEM, certificate=PEM, key_file=str(key))
    set_up_ota(places, Recipe("r", board="b", ota=ota), said.append)
    assert tomllib.loads(places.read_text(IMAGE)) == {
        "tls": {"server": "https://gate"},
        "provision": {"primary_ecu_hardware_id": "h"},
        "import": {
            "base_path": "/var/sota/import",
            "tls_cacert_path": "ca.pem",
            "tls_clientcert_path": "client.pem",
            "tls_pkey_path": "pkey.pem",
        },
    }
    assert [(one.path, one.data.decode()) for one in state_files(ota)] == [
        (f"sota/import/{name}.pem", PEM) for name in ("ca", "client", "pkey")
    ]
    key.write_text("nothing")
    with pytest.raises(SourceError, match=r"car-1\.key: this is no PEM"):
        state_files(ota)
    key.write_bytes(bytes((4 << 20) + 1))
    with pytest.raises(SourceError, match="too large"):
        state_files(ota)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to root")
def test_a_device_that_is_told_itself(said, tmp_path):
    tree = LiveTree(str(tmp_path))
    tell_device(tree, Ota(), said.append)
    assert said == []
    tell_device(tree, Ota(server="https://gate", ca=PEM, certificate=PEM, key=PEM), said.append)
    settings = tomllib.loads(tree.read_text(DEVICE))
    assert settings["tls"] == {"server": "https://gate"}
    assert "provision" not in settings
    key = tmp_path / "var/sota/import/pkey.pem"
    assert key.read_text() == PEM
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
