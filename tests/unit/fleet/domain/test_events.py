# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.fleet.db import log, updates
from ostrya.fleet.domain import assignments, campaigns, events
from ostrya.fleet.errors import BadRequest


def told(uuid, kind, **facts):
    return {
        "id": uuid,
        "deviceTime": "2026-12-01T00:00:00Z",
        "eventType": {"id": kind, "version": 0},
        "event": facts,
    }


@pytest.fixture
def send(device):
    def deed(*listed):
        return device.link.ask("POST", "/events", json.dumps(listed).encode())

    return deed


@pytest.fixture
def state(services, device, change, firmware, look):
    wanted = assignments.Wanted(device.name, firmware, correlation_id="urn:1")
    change(assignments.assign, wanted, services.images.all_images(), 5)

    def deed():
        (one,) = look(lambda c: updates.list_assignments(c, {}))
        return one.state, one.reason

    return deed


def test_events_are_kept_once(send, look):
    one, two = told("1", "A"), told("2", "B", success=False)
    assert send(one, two).status == 200
    assert send(two, one, told("3", "C")).status == 200
    found = look(lambda c: log.list_events(c, {}))
    assert [(row.uuid, row.type, row.success) for row in found] == [
        ("1", "A", None),
        ("2", "B", False),
        ("3", "C", None),
    ]


def test_events_move_an_assignment_forward(send, state, device):
    ecu = device.primary.serial
    seen = []
    for at, kind in enumerate(
        (
            "EcuDownloadStarted",
            "EcuInstallationStarted",
            "EcuDownloadCompleted",
            "EcuInstallationApplied",
        )
    ):
        send(told(str(at), kind, ecu=ecu, correlationId="urn:1", success=True))
        seen.append(state()[0])
    assert seen == ["downloading", "installing", "installing", "applied"]


def test_a_download_that_failed_is_told_and_not_given_up(send, state, device):
    ecu = device.primary.serial
    send(told("1", "EcuDownloadCompleted", ecu=ecu, correlationId="urn:1", success=False))
    assert state() == ("pending", "the download failed")


def test_events_of_other_updates_and_ecus(send, state, device):
    send(told("1", "EcuInstallationStarted", ecu=device.primary.serial, correlationId="urn:0"))
    send(told("2", "EcuInstallationStarted", ecu="other", correlationId="urn:1"))
    assert state() == ("pending", "")


def test_an_offer_that_is_accepted_is_assigned(services, device, send, change, look, firmware):
    images = services.images.all_images()
    campaign = change(campaigns.create, campaigns.Offer("spring", firmware), images, 5)
    change(campaigns.launch, campaign.id, [device.name], 6)
    send(told("1", "campaign_accepted", campaignId=campaign.id))
    (one,) = look(updates.open_assignments, device.name)
    assert one.correlation_id == f"urn:ostrya:campaign:{campaign.id}"


@pytest.mark.parametrize(
    "value",
    [
        {},
        [1],
        [{}],
        [{"id": 1, "eventType": {"id": "x"}}],
        [{"id": "", "eventType": {"id": "x"}}],
        [{"id": "1", "eventType": "x"}],
        [told("1", "A")] * 1001,
    ],
)
def test_what_are_no_events(value):
    with pytest.raises(BadRequest):
        events.read(json.dumps(value).encode(), 10**7)


def test_too_many_bytes_are_said_to_be(services, device):
    limit = services.settings.limits.events_bytes
    body = json.dumps([told("1", "A", more="x" * limit)]).encode()
    assert device.link.ask("POST", "/events", body).status == 413
