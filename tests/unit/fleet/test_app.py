# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

from ostrya.fleet.app import make_listeners


def test_doors_are_opened(services):
    found = make_listeners(services)
    try:
        assert found[0].name == "devices"
        assert found[0].tls is not None
        assert os.fstat(found[0].socket.fileno())
    finally:
        for one in found:
            one.socket.close()
