# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fleet.domain.services import open_services
from ostrya.fleet.errors import SetupError


def test_all_parts_know_each_other(services):
    assert services.registry.images is services.images
    assert services.registry.director is services.director
    assert services.settings is services.fleet.settings


def test_no_server(tmp_path):
    with pytest.raises(SetupError):
        open_services(str(tmp_path))
