# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.fixture
def config(device):
    return device.option(device.device_config("car-1"))
