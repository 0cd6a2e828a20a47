# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.fleet.domain import jobs


def test_from_a_draft_to_its_end(ask, device, firmware):
    value = {"name": "spring", "target": firmware, "description": "new maps", "auto_accept": True}
    campaign = ask("POST", "/campaigns", value, status=201)
    assert (campaign["state"], campaign["mode"], campaign["progress"]) == ("draft", "offer", [])
    here = f"/campaigns/{campaign['id']}"
    found = ask("POST", f"{here}/launch", {"devices": ["dev-1"]})
    assert found["state"] == "launched"
    assert found["progress"] == [{"wave": 1, "has_begun": True, "devices": {"offered": 1}}]
    (member,) = ask("GET", f"{here}/devices")["devices"]
    assert (member["device"], member["state"]) == ("dev-1", "offered")
    assert device.link.ask("GET", "/campaigner/campaigns").json()["campaigns"]
    assert ask("GET", here)["name"] == "spring"
    assert ask("POST", f"{here}/cancel")["state"] == "cancelled"
    assert [one["id"] for one in ask("GET", "/campaigns")["campaigns"]] == [campaign["id"]]
    assert ask("GET", "/campaigns?state=draft")["campaigns"] == []
    assert ask("POST", f"{here}/launch", {"devices": ["dev-1"]}, status=409)


def test_waves_that_are_paused_and_go_on(ask, device, firmware, services):
    value = {
        "name": "spring", "target": firmware, "mode": "assign", "waves": ["5%", "25%"],
        "failures": "10%", "advance": 90,
    }  # fmt: skip
    campaign = ask("POST", "/campaigns", value, status=201)
    here = f"/campaigns/{campaign['id']}"
    ask("POST", "/groups", {"name": "g"}, status=201)
    ask("PUT", "/groups/g/devices/dev-1")
    ask("POST", f"{here}/launch", {"group": "g"})
    jobs.run_often(services)
    (one,) = ask("GET", "/assignments")["assignments"]
    assert one["correlation_id"] == f"urn:ostrya:campaign:{campaign['id']}"
    paused = ask("POST", f"{here}/pause")
    assert (paused["state"], paused["reason"]) == ("paused", "its owner paused it")
    assert ask("POST", f"{here}/pause", status=409)["code"] == "campaign_not_launched"
    assert ask("GET", "/assignments?state=cancelled")["assignments"]
    assert ask("POST", f"{here}/resume")["state"] == "launched"
    assert ask("POST", f"{here}/resume", status=409)["code"] == "campaign_not_paused"
    jobs.run_often(services)
    (agreed,) = device.cycle(services.fleet.now()).agreed
    device.install((agreed,))
    assert device.send_manifest().status == 200
    jobs.run_often(services)
    assert ask("GET", here)["state"] == "finished"
    assert ask("GET", f"{here}/devices?state=done")["devices"][0]["device"] == "dev-1"


def test_what_is_refused(ask, device, firmware):
    assert ask("GET", "/campaigns/x", status=404)["code"] == "missing_campaign"
    assert ask("GET", "/campaigns/x/devices", status=404)["code"] == "missing_campaign"
    assert ask("POST", "/campaigns/x/launch", {"devices": ["dev-1"]}, status=404)
    for verb in ("pause", "resume", "cancel"):
        assert ask("POST", f"/campaigns/x/{verb}", status=404)
    assert ask("POST", "/campaigns", {"name": "x", "target": "none"}, status=404)
    for wrong in ({"waves": ["much"]}, {"failures": "x"}, {"advance": 101}, {"mode": "x"}):
        assert ask("POST", "/campaigns", {"name": "x", "target": firmware, **wrong}, status=400)
