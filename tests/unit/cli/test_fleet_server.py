# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util

import pytest

from ostrya.cli import fleet_server
from ostrya.fleet.errors import SetupError


def test_what_is_missing_and_how_it_is_installed(monkeypatch):
    fleet_server.require_libraries()
    find = importlib.util.find_spec
    gone = {"sqlalchemy", "uvicorn"}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name in gone else find(name, *more)
    )
    with pytest.raises(SetupError, match="needs sqlalchemy, uvicorn, which are") as caught:
        fleet_server.require_libraries()
    assert caught.value.hint == "pip install 'ostrya[fleet]'"


def test_times_as_they_are_shown():
    assert fleet_server.shown_time(None) == "never"
    assert fleet_server.shown_time(0) == "1970-01-01T00:00:00Z"
