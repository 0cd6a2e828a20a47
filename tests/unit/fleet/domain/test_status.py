# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.fleet.domain import campaigns
from ostrya.fleet.domain.status import look as look_at


def test_how_it_is(services, device, firmware, clock):
    device.send_manifest()
    found = look_at(services)
    assert (found.devices, found.seen_lately, found.images) == (1, 1, 1)
    assert found.warnings == ()
    clock.forward(days=2)
    assert look_at(services).seen_lately == 0


def test_what_somebody_has_to_do(services, clock):
    clock.forward(days=360)
    (words,) = look_at(services).warnings
    assert words.startswith("director/root expires on")
    clock.forward(days=10)
    (words,) = look_at(services).warnings
    assert "devices refuse it" in words


def test_a_campaign_that_paused(services, device, firmware, change):
    images = services.images.all_images()
    offer = campaigns.Offer("spring", firmware)
    found = change(campaigns.begin, offer, campaigns.Whom((device.name,)), images, 5)
    change(campaigns.pause, found.id, 6)
    assert look_at(services).warnings == ("the campaign spring is paused: its owner paused it",)
