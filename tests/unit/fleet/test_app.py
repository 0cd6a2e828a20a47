# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat

import pytest

from ostrya.fleet.app import make_listeners
from ostrya.fleet.errors import SetupError


def test_doors_are_opened(services):
    found = make_listeners(services)
    try:
        assert [one.name for one in found] == ["devices", "tools", "owner"]
        assert [one.tls is not None for one in found] == [True, True, False]
        path = services.settings.path("admin.sock")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with pytest.raises(SetupError, match="answers at"):
            make_listeners(services)
    finally:
        for one in found:
            one.socket.close()
