# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.fleet.domain.fleet import open_fleet, read_identity
from ostrya.fleet.errors import SetupError


def test_what_is_missing_is_named(services):
    folder = services.settings.path("ca")
    os.unlink(os.path.join(folder, "ca.key"))
    with pytest.raises(SetupError, match=r"ca\.key is missing"):
        open_fleet(services.settings.folder)


def test_an_identity_is_read_back(services):
    found = read_identity(services.settings.path("ca"), "ca")
    assert found.certificate == services.fleet.authority.certificate
