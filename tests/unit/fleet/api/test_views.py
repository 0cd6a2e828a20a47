# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from ostrya.fleet.api import schemas, views
from ostrya.fleet.db import campaigns as rows
from ostrya.fleet.db import log, updates
from ostrya.fleet.domain import assignments, campaigns, devices
from ostrya.fleet.domain.status import look as look_at


def fits(value, name):
    whole = {**schemas.SCHEMAS[name], "components": {"schemas": schemas.SCHEMAS}}
    Draft202012Validator(whole).validate(value)


@pytest.fixture
def updating(services, device, change, firmware):
    device.link.ask("PUT", "/system_info", b'{"id": "x"}')
    device.link.ask("POST", "/system_info/config", b"a = 1")
    device.link.ask("POST", "/events", b'[{"id": "1", "eventType": {"id": "A"}}]')
    change(
        assignments.assign, assignments.Wanted(device.name, firmware),
        services.images.all_images(), 5,
    )  # fmt: skip
    device.send_manifest(device.report(device.primary, "", "NEED_COMPLETION", success=True))
    return device


def test_a_device_with_all_that_is_known(updating, look):
    found = views.details(look(devices.details, updating.name))
    fits(found, "DeviceDetails")
    assert found["state"] == "updating"
    assert found["data"]["hardware"]["value"] == {"id": "x"}
    assert found["data"]["config"]["value"] == "a = 1"
    assert found["assignments"][0]["state"] == "applied"
    assert found["reports"][0]["code"] == "NEED_COMPLETION"


def test_a_device_that_was_never_seen(services, look):
    devices.provision(services.fleet, "x", 30)
    found = views.device(look(devices.details, "x").overview)
    fits(found, "Device")
    assert (found["state"], found["last_seen"], found["primary"]) == ("never seen", None, None)


def test_all_else(services, updating, look, change, firmware):
    images = services.images.all_images()
    fits(views.target(firmware, images[firmware]), "Target")
    fits(views.status(look_at(services)), "Status")
    for one in look(lambda c: log.list_events(c, {})):
        fits(views.event(one), "Event")
    for one in look(lambda c: updates.list_assignments(c, {})):
        fits(views.assignment(one), "Assignment")
    campaign = change(campaigns.create, campaigns.Offer("x", firmware), images, 5)
    change(campaigns.launch, campaign.id, [updating.name], 6)
    counts = look(rows.count_campaign_devices, campaign)
    fits(views.campaign(campaign, counts), "Campaign")
    (member,) = look(rows.campaign_devices, campaign.id)
    fits(views.campaign_device(member), "CampaignDevice")
    fits(views.group(("g", 5, 1)), "Group")
