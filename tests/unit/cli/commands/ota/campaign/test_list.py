# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations


def test_what_the_server_asks(run, config, gateway, schema):
    run.ok("ota", "provision", config)
    gateway.fleet.campaigns = [
        {"id": "c-1", "name": "Maps", "size": 7, "autoAccept": False, "metadata": []},
    ]  # fmt: skip
    found = run.ok("ota", "campaign", "list", config, "--json").json()
    schema(found, "ota-campaign-list")
    assert [(one["campaign_id"], one["name"]) for one in found["campaigns"]] == [("c-1", "Maps")]
    assert run.ok("ota", "campaign", "list", config).lines == ["c-1: Maps, 7 bytes"]


def test_a_device_that_nobody_knows(run, config):
    assert "not provisioned" in run.fails("ota", "campaign", "list", config, status=70)
    assert "nothing is to be named" in run.fails("ota", "campaign", "list", "x")
