# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from support.ota_ecus import FakeEcu, add_ecu
from support.ota_world import make_device


def test_ecus(tmp_path):
    device = make_device(tmp_path)
    ecu = FakeEcu()
    add_ecu(device, ecu)
    with device.primary() as primary:
        parts = primary._parts
        assert list(parts.ecus.items()) == [("ecu-1", "board"), ("ecu-2", "sensor")]
        assert parts.secondary("ecu-2") is ecu
        assert parts.secondary("ecu-1") is None
