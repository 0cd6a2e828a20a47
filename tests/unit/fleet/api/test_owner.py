# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json


def test_status(ask, device):
    assert ask("GET", "/status")["devices"] == 1


def test_events(ask, device):
    told = [{"id": str(at), "eventType": {"id": "A" if at else "B"}} for at in range(5)]
    device.link.ask("POST", "/events", json.dumps(told).encode())
    page = ask("GET", "/events?limit=3")
    assert [one["uuid"] for one in page["events"]] == ["0", "1", "2"]
    page = ask("GET", f"/events?limit=3&after={page['next']}")
    assert ([one["uuid"] for one in page["events"]], page["next"]) == (["3", "4"], None)
    assert [one["uuid"] for one in ask("GET", "/events?last=2")["events"]] == ["3", "4"]
    assert [one["uuid"] for one in ask("GET", "/events?type=B&device=dev-1")["events"]] == ["0"]
    assert ask("GET", "/events?after=x", status=400)["code"] == "invalid_query"


def test_tokens(ask):
    made = ask("POST", "/tokens", {"name": "ci", "may": "admin"}, status=201)
    assert made["secret"].startswith("ostrya_")
    (one,) = ask("GET", "/tokens")["tokens"]
    assert (one["name"], one["may"], one["revoked"]) == ("ci", "admin", None)
    assert made["secret"] not in json.dumps(one)
    ask("DELETE", "/tokens/ci", status=204)
    assert ask("GET", "/tokens")["tokens"][0]["revoked"]
    assert ask("DELETE", "/tokens/ci", status=404)["code"] == "missing_token"
    assert ask("POST", "/tokens", {"name": "x", "may": "all"}, status=400)
