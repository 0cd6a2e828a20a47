# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from support.gateway import Gateway
from support.ota_device import OtaDevice


@pytest.fixture
def made(run, tmp_path):
    """A repository of updates that is published, and a file to be an image; return both."""
    folder = tmp_path / "img"
    run.ok("ota", "keys", "create", f"--dir={folder}")
    run.ok("ota", "targets", "sign", f"--dir={folder}")
    (tmp_path / "fw.bin").write_bytes(b"firmware")
    return f"--dir={folder}", str(tmp_path / "fw.bin")


@pytest.fixture
def gateway(tmp_path):
    """A gateway that does what tests say."""
    with Gateway(tmp_path / "gateway") as gateway:
        yield gateway


@pytest.fixture
def device(tmp_path, gateway):
    """A device that may become one of its fleet's."""
    return OtaDevice(tmp_path / "device", gateway)
