# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fleet.api.gateway import Gateway
from ostrya.fleet.domain.jobs import run_often
from ostrya.fleet.domain.services import open_services
from support.fleet_server import direct_device


@pytest.fixture
def made(run, tmp_path):
    """The option that names a server which was made, and a file to be an image."""
    run.ok("fleet", "init", tmp_path / "f", "--hostname=localhost")
    (tmp_path / "fw.bin").write_bytes(b"firmware")
    return f"--dir={tmp_path / 'f'}", str(tmp_path / "fw.bin")


@pytest.fixture
def served(made, tmp_path):
    """The same server, open to devices in this process, and a device of it."""
    with open_services(str(tmp_path / "f")) as services:
        yield direct_device(services, Gateway(services))


@pytest.fixture
def firmware(run, made):
    """An image that is published."""
    folder, path = made
    run.ok("fleet", "targets", "add", "fw-1", path, folder, "--hardware-id=board", "--release=1")
    return "fw-1"


@pytest.fixture
def spring(run, made, served, firmware):
    """A campaign for the one device, and what moves it on as a running server does."""
    run.ok("fleet", "campaign", "create", made[0], "spring", firmware, "--all", "--wave=50%")

    def move():
        with open_services(made[0].partition("=")[2]) as services:
            return run_often(services)

    return move
