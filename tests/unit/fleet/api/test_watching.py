# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re

import pytest

from ostrya.fleet.api import watching
from ostrya.fleet.api.owner import make_token
from ostrya.fleet.api.tools import Tools
from ostrya.fleet.connections import DoorFacts
from ostrya.fleet.domain.health import Measurement
from support.fleet_server import DirectLink


@pytest.fixture
def tools(services):
    return DirectLink(Tools(services))


def bearer(services, may):
    return {"authorization": f"Bearer {make_token(services.fleet, may, may)}"}


def test_anybody_may_ask_whether_it_is_well(tools, monkeypatch):
    found = tools.ask("GET", "/health")
    assert (found.status, found.json()) == (200, {"status": "ok", "problems": []})
    assert tools.ask("POST", "/health").status == 405
    monkeypatch.setattr(watching, "problems", lambda _services: ("the disk is full",))
    found = tools.ask("GET", "/health")
    assert (found.status, found.json()["problems"]) == (503, ["the disk is full"])


def test_numbers_are_for_who_may_watch(services, tools):
    services.doors["devices"] = lambda: DoorFacts(3, 70, 2)
    assert tools.ask("GET", "/metrics").status == 401
    assert tools.ask("GET", "/metrics", headers=bearer(services, "push")).status == 403
    watcher = bearer(services, "watch")
    found = tools.ask("GET", "/metrics", headers=watcher)
    assert found.status == 200
    assert found.headers["content-type"].startswith("text/plain")
    lines = found.body.decode().splitlines()
    assert 'ostrya_fleet_connections{door="devices"} 3' in lines
    assert "# TYPE ostrya_fleet_requests_total counter" in lines
    line = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"\})? [0-9.e+]+')
    assert all(one.startswith("# ") or line.fullmatch(one) for one in lines)
    # And nothing else.
    for path in ("/api/v1/status", "/treehub/config"):
        assert tools.ask("GET", path, headers=watcher).status == 403
    assert tools.ask("GET", "/metrics", headers=bearer(services, "admin")).status == 200


def test_what_would_end_a_label():
    one = Measurement("info", 1, {"version": 'a"b\\c\nd'})
    assert watching.write([one]).splitlines()[2] == (
        'ostrya_fleet_info{version="a\\"b\\\\c\\nd"} 1'
    )
