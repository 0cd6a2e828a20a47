# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client.storage import open_storage


@pytest.fixture
def storage(tmp_path):
    """The database of a device."""
    with open_storage(str(tmp_path / "sota/sql.db")) as storage:
        yield storage
