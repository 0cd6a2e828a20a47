# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fleet.db import campaigns as rows
from ostrya.fleet.db import updates
from ostrya.fleet.domain import assignments, campaigns, rollouts
from ostrya.fleet.domain.campaigns import Answer, Offer
from ostrya.fleet.errors import BadRequest, Conflict, NotFound


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
    answer(change, services, campaign, device, rows.POSTPONED)
    assert look(campaigns.offers, device.name)["campaigns"]
    answer(change, services, campaign, device, rows.DECLINED)
    assert not look(campaigns.offers, device.name)["campaigns"]
    assert look(updates.open_assignments, device.name) == ()


def test_accepted_while_something_else_is_under_way(
    services, device, campaign, change, look, firmware
):
    wanted = assignments.Wanted(device.name, firmware)
    change(assignments.assign, wanted, services.images.all_images(), 5)
    change(campaigns.launch, campaign.id, [device.name], 6)
    answer(change, services, campaign, device, rows.ACCEPTED)
    (member,) = look(rows.campaign_devices, campaign.id)
    assert member.state == rows.AGREED
    assert "assigned already" in member.reason
    change(assignments.cancel, device.name, (), 10)
    change(rollouts.step, campaign.id, services.images.all_images(), 999)
    (member,) = look(rows.campaign_devices, campaign.id)
    assert (member.state, member.reason) == (rows.ACCEPTED, "")


def test_refusals(services, change, campaign):
    with pytest.raises(NotFound):
        change(campaigns.create, Offer("x", "nothing"), services.images.all_images(), 5)
    with pytest.raises(NotFound):
        change(campaigns.launch, "none", ["x"], 5)
    with pytest.raises(NotFound):
        change(campaigns.launch, campaign.id, ["x"], 5)
    with pytest.raises(Conflict):
        change(campaigns.launch, campaign.id, [], 5)
    for offer in (
        Offer("x", "fw-1", mode="force"),
        Offer("x", "fw-1", waves=("0",)),
        Offer("x", "fw-1", waves=("20%", "10%")),
        Offer("x", "fw-1", waves=("101%",)),
        Offer("x", "fw-1", waves=("1",) * 21),
        Offer("x", "fw-1", failures="some"),
        Offer("x", "fw-1", advance=0),
        Offer("", "fw-1"),
    ):
        with pytest.raises(BadRequest):
            change(campaigns.create, offer, services.images.all_images(), 5)


def test_a_name_that_several_have(services, change, campaign, look):
    assert look(campaigns.named, "spring").id == campaign.id
    assert look(campaigns.named, campaign.id).id == campaign.id
    change(campaigns.create, Offer("spring", "fw-1"), services.images.all_images(), 5)
    with pytest.raises(Conflict, match="2 campaigns") as caught:
        look(campaigns.named, "spring")
    assert campaign.id in caught.value.hint
    with pytest.raises(NotFound):
        look(campaigns.named, "autumn")


def test_an_answer_that_comes_late_changes_nothing(services, device, campaign, change, look):
    change(campaigns.launch, campaign.id, [device.name], 6)
    answer(change, services, campaign, device, rows.ACCEPTED)
    answer(change, services, campaign, device, rows.DECLINED)
    (member,) = look(rows.campaign_devices, campaign.id)
    assert member.state == rows.ACCEPTED
