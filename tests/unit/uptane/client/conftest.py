# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client.storage import open_storage
from support.gateway import Gateway
from support.ota_device import OtaDevice


@pytest.fixture
def storage(tmp_path):
    """The database of a device."""
    with open_storage(str(tmp_path / "sota/sql.db")) as storage:
        yield storage


@pytest.fixture
def gateway(tmp_path):
    """A gateway that does what tests say."""
    with Gateway(tmp_path / "gateway") as gateway:
        yield gateway


@pytest.fixture
def device(tmp_path, gateway):
    """A device of its fleet."""
    return OtaDevice(tmp_path / "device", gateway)


@pytest.fixture
def kept(device):
    """What that device knows."""
    with device.open() as storage:
        yield storage
