# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_devices_page_by_page(ask):
    for name in ("c", "a", "b"):
        found = ask("POST", "/devices", {"id": name}, status=201)
        assert found["certificate"].startswith("-----BEGIN CERTIFICATE")
        assert "PRIVATE KEY" in found["key"]
    first = ask("GET", "/devices?limit=2")
    assert ([one["id"] for one in first["devices"]], first["next"]) == (["a", "b"], "b")
    second = ask("GET", f"/devices?limit=2&after={first['next']}")
    assert ([one["id"] for one in second["devices"]], second["next"]) == (["c"], None)
    assert [one["id"] for one in ask("GET", "/devices?search=b")["devices"]] == ["b"]


def test_a_device(ask, device):
    device.link.ask("PUT", "/system_info", b'{"id": "x"}')
    assert ask("GET", "/devices/dev-1")["primary"] == "dev-1-primary"
    assert ask("GET", "/devices/dev-1/ecus")["ecus"][0]["hardware_id"] == "board"
    assert ask("GET", "/devices/dev-1/data")["hardware"]["value"] == {"id": "x"}
    assert ask("POST", "/devices/dev-1/revoke", {"reason": "lost"}) == {"revoked": 1}
    assert device.send_manifest().status == 403
    renewed = ask("POST", "/devices/dev-1/certificates", {"days": 3}, status=201)
    device.link.peer = device.link.peer._replace(serial=renewed["serial"])
    assert device.send_manifest().status == 200
    assert ask("DELETE", "/devices/dev-1", status=204) is None
    assert ask("GET", "/devices/dev-1", status=404)["code"] == "missing_device"


def test_groups(ask, device):
    ask("POST", "/groups", {"name": "spring drivers"}, status=201)
    assert ask("POST", "/groups", {"name": "spring drivers"}, status=409)["code"] == "group_exists"
    found = ask("PUT", "/groups/spring%20drivers/devices/dev-1")
    assert found == {"name": "spring drivers", "devices": ["dev-1"]}
    assert ask("GET", "/groups")["groups"][0]["devices"] == 1
    assert [one["id"] for one in ask("GET", "/devices?group=spring+drivers")["devices"]] == [
        "dev-1"
    ]
    assert ask("DELETE", "/groups/spring%20drivers/devices/dev-1")["devices"] == []
    ask("DELETE", "/groups/spring%20drivers", status=204)
    for method in ("GET", "DELETE"):
        assert ask(method, "/groups/spring%20drivers", status=404)["code"] == "missing_group"
    assert ask("PUT", "/groups/x/devices/dev-1", status=404)["code"] == "missing_group"


def test_what_is_refused(ask):
    assert ask("POST", "/devices", {"id": "a/b"}, status=400)["code"] == "invalid_device_id"
    assert ask("POST", "/devices", {}, status=400)["code"] == "invalid_request"
    assert ask("POST", "/devices", {"id": "a", "days": -1}, status=400)
    assert ask("POST", "/devices", {"id": "a", "dayz": 1}, status=400)
    assert ask("POST", "/groups", {"name": " "}, status=400)
    for path in ("/devices/x/ecus", "/devices/x/data"):
        assert ask("GET", path, status=404)["code"] == "missing_device"
