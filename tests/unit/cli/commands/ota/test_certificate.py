# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from support.fleet_ca import FleetCa, pem_of_key


@pytest.fixture
def authority(tmp_path):
    ca = FleetCa()
    (tmp_path / "ca.pem").write_bytes(ca.pem)
    (tmp_path / "ca.key").write_bytes(pem_of_key(ca.key))
    return [f"--fleet-ca={tmp_path / 'ca.pem'}", f"--fleet-ca-key={tmp_path / 'ca.key'}"]


def test_by_the_authority(run, authority, tmp_path):
    folder = tmp_path / "car"
    lines = run.ok(
        "ota", "certificate", *authority, "--device-id=car-1", "--server=https://h/", folder
    ).lines
    assert lines == [
        "car-1", *(f"{folder}/{one}" for one in ("ca.pem", "client.pem", "client.key")),
        f"{folder}/20-device.toml",
    ]  # fmt: skip
    assert 'server = "https://h"' in (folder / "20-device.toml").read_text()
    assert "is there already" in run.fails("ota", "certificate", *authority, folder, status=70)


def test_by_the_server(run, device, gateway, tmp_path):
    device.write_zip()
    option = f"--credentials={device.zip_path}"
    folder = tmp_path / "car"
    name = run.ok("ota", "certificate", option, "--base-path=/data/import", folder).lines[0]
    assert name in gateway.fleet.devices
    text = (folder / "20-device.toml").read_text()
    assert f'server = "{gateway.url}"' in text
    assert 'base_path = "/data/import"' in text


def test_what_cannot_be(run, authority, tmp_path):
    folder = tmp_path / "car"
    for words, said in (
        ((), "either --credentials"),
        ((*authority, "--credentials=x"), "either --credentials"),
        ((authority[0],), "belong together"),
        ((*authority, "--days=0"), "no number of days"),
    ):
        assert said in run.fails("ota", "certificate", *words, folder, status=2)
    assert "one DIRECTORY" in run.fails("ota", "certificate", *authority, status=2)
    assert not folder.exists()
