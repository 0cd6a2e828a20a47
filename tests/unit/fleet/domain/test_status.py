# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.fleet.domain import campaigns, status
from ostrya.fleet.domain.status import look as look_at


@pytest.fixture(autouse=True)
def room(monkeypatch):
    """How many blocks of a disk there are, and how many are left."""
    blocks = {"all": 1_000_000, "left": 500_000}
    real = os.statvfs

    def statvfs(path):
        found = list(real(path))
        found[1], found[2], found[4] = 4096, blocks["all"], blocks["left"]
        return os.statvfs_result(found)

    monkeypatch.setattr(status.os, "statvfs", statvfs)
    return blocks


def test_little_room(services, room):
    for left, words in ((40_000, "163 MB"), (10_000, "40 MB"), (0, "0 MB")):
        room["left"] = left
        (found,) = look_at(services).warnings
        assert found.endswith(words)
    room.update(all=100_000, left=20_000)
    assert look_at(services).warnings == ()


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
