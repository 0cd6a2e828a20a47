# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client.device_data.settings import config_toml
from support.gateway import Gateway
from support.ota_device import OtaDevice


@pytest.fixture
def gateway(tmp_path):
    with Gateway(tmp_path / "gateway") as gateway:
        yield gateway


@pytest.fixture
def device(tmp_path, gateway):
    return OtaDevice(tmp_path / "device", gateway)


@pytest.fixture
def config(device):
    path = device.folder / "sota.toml"
    path.write_text(config_toml(device.device_config("car-1")))
    return f"--config={path}"
