# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fleet.db import updates
from ostrya.fleet.domain import assignments, campaigns
from ostrya.fleet.domain.campaigns import Answer, Offer
from ostrya.fleet.errors import Conflict, NotFound


@pytest.fixture
def campaign(services, change, firmware):
    offer = Offer("spring", firmware, "new maps", 120, 0, auto_accept=True)
    return change(campaigns.create, offer, services.images.all_images(), 5)


def test_a_device_hears_of_what_is_launched(device, campaign, change):
    def told():
        return device.link.ask("GET", "/campaigner/campaigns").json()["campaigns"]

    assert told() == []
    change(campaigns.launch, campaign.id, [device.name], 6)
    (one,) = told()
    assert (one["id"], one["name"], one["autoAccept"]) == (campaign.id, "spring", True)
    assert one["metadata"] == [
        {"type": "DESCRIPTION", "value": "new maps"},
        {"type": "ESTIMATED_INSTALLATION_DURATION", "value": "120"},
    ]
    change(campaigns.cancel, campaign.id, 7)
    assert told() == []
    with pytest.raises(Conflict):
        change(campaigns.launch, campaign.id, [device.name], 8)


def answer(change, services, campaign, device, state):
    change(
        campaigns.take_answer, Answer(campaign.id, device.name, state),
        services.images.all_images(), 9,
    )  # fmt: skip


def test_postponed_is_offered_again_declined_is_not(services, device, campaign, change, look):
    change(campaigns.launch, campaign.id, [device.name], 6)
    answer(change, services, campaign, device, campaigns.POSTPONED)
    assert look(campaigns.offers, device.name)["campaigns"]
    answer(change, services, campaign, device, campaigns.DECLINED)
    assert not look(campaigns.offers, device.name)["campaigns"]
    assert look(updates.open_assignments, device.name) == ()


def test_accepted_while_something_else_is_under_way(
    services, device, campaign, change, look, firmware
):
    wanted = assignments.Wanted(device.name, firmware)
    change(assignments.assign, wanted, services.images.all_images(), 5)
    change(campaigns.launch, campaign.id, [device.name], 6)
    answer(change, services, campaign, device, campaigns.ACCEPTED)
    (member,) = look(updates.campaign_devices, campaign.id)
    assert member.state == campaigns.FAILED
    assert "assigned already" in member.reason


def test_refusals(services, change, campaign):
    with pytest.raises(NotFound):
        change(campaigns.create, Offer("x", "nothing"), services.images.all_images(), 5)
    with pytest.raises(NotFound):
        change(campaigns.launch, "none", ["x"], 5)
    with pytest.raises(NotFound):
        change(campaigns.launch, campaign.id, ["x"], 5)
    with pytest.raises(Conflict):
        change(campaigns.launch, campaign.id, [], 5)
