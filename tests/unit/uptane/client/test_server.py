# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.uptane.client.server import DeviceDataKind


def test_where_device_data_goes():
    found = {one.word: (one.method, one.path, one.content_type) for one in DeviceDataKind}
    assert found == {
        "hardware": ("PUT", "system_info", "application/json"),
        "packages": ("PUT", "core/installed", "application/json"),
        "network": ("PUT", "system_info/network", "application/json"),
        "config": ("POST", "system_info/config", "application/toml"),
    }
