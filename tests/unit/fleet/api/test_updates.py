# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from support.fleet_server import direct_device


def test_an_update_of_a_group(ask, services, gateway, firmware, device):
    direct_device(services, gateway, "dev-2")
    ask("POST", "/groups", {"name": "g"}, status=201)
    ask("PUT", "/groups/g/devices/dev-2")
    found = ask(
        "POST", "/assignments", {"devices": ["dev-1"], "group": "g", "target": firmware}, status=201
    )["assignments"]
    assert [one["device"] for one in found] == ["dev-1", "dev-2"]
    assert len({one["correlation_id"] for one in found}) == 1
    (agreed,) = device.cycle().agreed
    assert agreed.name == firmware
    page = ask("GET", "/assignments?limit=1")
    assert page["assignments"][0]["device"] == "dev-2"
    page = ask("GET", f"/assignments?limit=1&after={page['next']}&state=pending")
    assert page["assignments"][0]["device"] == "dev-1"
    assert ask("GET", "/assignments?device=dev-1&state=done")["assignments"] == []
    assert ask("POST", "/assignments/cancel", {"device": "dev-1"})["assignments"]
    assert device.cycle().agreed == ()


def test_all_or_none(ask, device, firmware):
    ask("POST", "/devices", {"id": "empty"}, status=201)
    value = {"devices": ["dev-1", "empty"], "target": firmware}
    assert ask("POST", "/assignments", value, status=409)["code"] == "device_without_ecus"
    assert ask("GET", "/assignments")["assignments"] == []
    assert ask("POST", "/assignments", {"target": firmware}, status=400)
    value = {"group": "none", "target": firmware}
    assert ask("POST", "/assignments", value, status=404)["code"] == "missing_group"


def test_images(ask, firmware):
    value = {"name": "os/1", "commit": "a" * 64, "hardware_ids": ["board"], "release_counter": 3}
    assert ask("POST", "/targets", value, status=201)["kind"] == "ostree"
    assert ask("GET", "/targets/os/1")["release_counter"] == 3
    assert [one["name"] for one in ask("GET", "/targets")["targets"]] == [firmware, "os/1"]
    ask("DELETE", "/targets/os/1", status=204)
    assert ask("GET", "/targets/os/1", status=404)["code"] == "missing_target"
    assert ask("DELETE", "/targets/os/1", status=404)
    assert ask("POST", "/targets", {**value, "commit": "x"}, status=409)
    assert ask("POST", "/targets", {**value, "name": "../x"}, status=400)
