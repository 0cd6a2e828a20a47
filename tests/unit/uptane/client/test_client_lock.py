# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client.client_lock import only_client, updates_allowed
from ostrya.uptane.client.errors import ClientBusy
from ostrya.uptane.errors import StorageError


def test_one_client_at_a_time(tmp_path):
    database = str(tmp_path / "sota/sql.db")
    busy = pytest.raises(ClientBusy, match=r"works with .*sql\.db already")
    with only_client(database), busy, only_client(database):
        pass
    with only_client(database):
        pass


def test_others_hold_updates_back(tmp_path):
    path = str(tmp_path / "held")
    with updates_allowed(""):
        pass
    with updates_allowed(path), pytest.raises(ClientBusy, match="held"), updates_allowed(path):
        pass
    with updates_allowed(path):
        pass


def test_a_place_where_nothing_can_be():
    with pytest.raises(StorageError, match="cannot be kept in"), only_client("/proc/none/sql.db"):
        pass
