# SPDX-License-Identifier: Apache-2.0
"""Killed at every write and at every request, a device that is being provisioned goes on.

The next start makes it one of the fleet's: with one name at the server, one serial, one key; nothing
that was kept is readable by others, and the shared certificate does not stay behind.
"""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from ostrya.uptane.client import tls_files
from ostrya.uptane.client.identity import DEVICE_ID, SERIAL
from ostrya.uptane.client.importing import has_root
from ostrya.uptane.client.provisioning import REGISTERED, serials_of
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.credentials_zip import DEVICE_P12, read_members
from ostrya.uptane.steps import Repository
from support import crashes
from support.gateway import Gateway
from support.ota_device import OtaDevice

pytestmark = [pytest.mark.crash, pytest.mark.timeout(1200)]

PROGRAM = Path(__file__).resolve().parents[1] / "support/ota_provisioner.py"
WRITES = ("pwrite64", "fdatasync", "fsync", "unlink", "rename", "renameat2", "linkat")
NETWORK = ("connect", "sendto", "recvfrom", "write", "read")
SAMPLE = 4
NOW = "2026-12-01T08:00:00Z"


def prepare(folder: Path, gateway: Gateway, device_id: str) -> list[str]:
    device = OtaDevice(folder, gateway)
    device.write_zip()
    config = folder / "sota.toml"
    config.write_text(
        f"""\
[provision]
provision_path = "{device.zip_path}"
device_id = "{device_id}"
primary_ecu_hardware_id = "board"
[uptane]
key_type = "ED25519"
[network]
retries = 0
[storage]
path = "{folder}/sota"
[import]
base_path = "{folder}/import"
"""
    )
    return [sys.executable, str(PROGRAM), str(config), NOW]


def check_secrets(folder: Path) -> None:
    """Whatever there is already, nobody else can read it."""
    for path in (folder / "sota").rglob("*"):
        if path.is_file():
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def check_end(folder: Path, gateway: Gateway, device_id: str) -> None:
    with open_storage(str(folder / "sota/sql.db")) as storage:
        name = storage.fact(DEVICE_ID).decode()
        serial = storage.fact(SERIAL).decode()
        assert serials_of(storage.fact(REGISTERED)) == {serial}
        cert = storage.fact(tls_files.CERT)
        assert all(has_root(storage, one) for one in Repository)
    assert gateway.fleet.devices[name].cert_pem == cert
    if device_id:
        assert name == device_id
    ecus = gateway.fleet.ecus
    assert [one["ecu_serial"] for one in ecus[name]["ecus"]] == [serial]
    # The same key before and after: it was registered under no other serial.
    assert sum(serial in {e["ecu_serial"] for e in one["ecus"]} for one in ecus.values()) == 1
    assert DEVICE_P12 not in read_members(str(folder / "credentials.zip"))
    assert not list((folder / "sota").rglob("shared-tls/*"))
    check_secrets(folder)


@pytest.mark.parametrize("device_id", ["", "device-"], ids=["made up", "configured"])
@pytest.mark.parametrize("calls", [WRITES, NETWORK], ids=["writes", "network"])
def test_killed_at_every_step(tmp_path, crash_full, calls, device_id):
    with Gateway(tmp_path / "gateway") as gateway:
        whole = tmp_path / "whole"
        argv = prepare(whole, gateway, device_id and f"{device_id}whole")
        points = crashes.find_points(argv, tmp_path / "trace", calls)
        check_end(whole, gateway, device_id and f"{device_id}whole")
        assert len(points) > 10
        killed = 0
        for number, point in enumerate(crashes.sample(points, None if crash_full else SAMPLE)):
            folder = tmp_path / str(number)
            name = device_id and f"{device_id}{number}"
            argv = prepare(folder, gateway, name)
            killed += crashes.run_and_kill(argv, tmp_path / "trace", point)
            if (folder / "sota").exists():
                check_secrets(folder)
            # And again, to the end.
            crashes.find_points(argv, tmp_path / "trace", ("fsync",))
            check_end(folder, gateway, name)
        # How often libcurl reads varies a little from run to run.
        assert killed > number // 2
