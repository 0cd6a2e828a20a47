# SPDX-License-Identifier: Apache-2.0
"""Campaigns in waves, with devices of which it is only written down what they did."""

from __future__ import annotations

from collections import Counter

import pytest

from ostrya.fleet.db import campaigns as rows
from ostrya.fleet.db import devices, updates
from ostrya.fleet.domain import assignments, campaigns, rollouts
from ostrya.fleet.domain.assignments import Progress
from ostrya.fleet.domain.campaigns import Offer
from ostrya.fleet.domain.jobs import move_campaigns
from ostrya.fleet.errors import Conflict

COUNT = 40
NAMES = [f"car-{n:02}" for n in range(COUNT)]


class Rollout:
    """A campaign for all devices."""

    def __init__(self, services, change, look):
        self.services, self.change, self.look = services, change, look
        self.images = services.images.all_images()
        self.now = 100

    def begin(self, **offer):
        wanted = Offer("spring", "fw-1", **{"mode": rows.ASSIGN, **offer})
        self.id = self.change(campaigns.create, wanted, self.images, self.now).id
        self.change(campaigns.launch, self.id, NAMES, self.now)
        self.move()
        return self

    def move(self):
        self.now += 1
        self.services.fleet.now.forward(seconds=61)
        move_campaigns(self.services)

    @property
    def campaign(self):
        return self.look(rows.find_campaign, self.id)

    def members(self, state):
        found = self.look(rows.campaign_devices, self.id)
        return [one.device_id for one in found if one.state == state]

    def states(self):
        return Counter(one.state for one in self.look(rows.campaign_devices, self.id))

    def end(self, device_id, state, reason=""):
        """A device tells what became of it, as `manifests.record` takes it."""
        now = int(self.services.fleet.now().timestamp())

        def write(connection):
            found = updates.open_assignments(connection, device_id)
            for one in found:
                assignments.move_on(connection, one, Progress(state, "", reason), now)
            rollouts.settle_closed(connection, found, now)

        self.change(write)


@pytest.fixture
def fleet(services, change, firmware):
    def add(connection):
        for name in NAMES:
            devices.add_device(connection, name, 1)
            ecu = devices.Ecu(f"{name}-ecu", name, "board", "ED25519", "00")
            devices.put_ecu(connection, ecu)

    change(add)


@pytest.fixture
def rollout(services, change, look, fleet):
    return Rollout(services, change, look)


def test_waves_come_one_after_the_other(rollout):
    rollout.begin(waves=("5%", "10", "50%"), advance=100)
    assert rollout.states() == {"accepted": 2, "waiting": 38}
    sizes = []
    while rollout.campaign.state == rows.LAUNCHED:
        under_way = rollout.members(rows.ACCEPTED)
        sizes.append(len(under_way))
        # As long as one of them has not got it, nobody else begins.
        for one in under_way[:-1]:
            rollout.end(one, updates.DONE)
        rollout.move()
        assert rollout.members(rows.ACCEPTED) == under_way[-1:]
        rollout.end(under_way[-1], updates.DONE)
        rollout.move()
    assert sizes == [2, 8, 10, 20]
    assert rollout.campaign.state == rows.FINISHED
    assert rollout.states() == {"done": COUNT}


def test_enough_of_a_wave_is_enough(rollout):
    rollout.begin(waves=("10",), advance=80)
    for one in rollout.members(rows.ACCEPTED)[:7]:
        rollout.end(one, updates.DONE)
    rollout.move()
    assert rollout.states()["waiting"] == 30
    rollout.end(rollout.members(rows.ACCEPTED)[0], updates.DONE)
    rollout.move()
    assert rollout.states()["waiting"] == 0


def test_it_halts_by_itself_and_takes_back_what_has_not_begun(rollout, look):
    rollout.begin(waves=("10",), failures="20%")
    first, second, begun, *rest = rollout.members(rows.ACCEPTED)
    rollout.end(first, updates.FAILED, "no space")
    assert rollout.campaign.state == rows.LAUNCHED
    rollout.change(
        lambda c: assignments.move_on(
            c, updates.open_assignments(c, begun)[0], Progress(updates.DOWNLOADING), 5
        )
    )
    rollout.end(second, updates.FAILED, "no boot")
    # At once, not when somebody looks.
    assert rollout.campaign.state == rows.PAUSED
    assert rollout.campaign.reason == "2 of 10 devices of wave 1 failed"
    assert rollout.states() == {"failed": 2, "accepted": 1, "waiting": 37}
    assert all(not look(updates.open_assignments, one) for one in rest)
    rollout.move()
    assert rollout.states()["waiting"] == 37
    # Who had begun is still heard.
    rollout.end(begun, updates.DONE)
    assert rollout.states()["done"] == 1
    reasons = {one.reason for one in look(rows.campaign_devices, rollout.id)}
    assert reasons == {"", "no space", "no boot"}


def test_after_a_halt_it_goes_on_and_counts_anew(rollout, change):
    rollout.begin(waves=("10",), failures="1", advance=50)
    rollout.end(rollout.members(rows.ACCEPTED)[0], updates.FAILED)
    with pytest.raises(Conflict, match="is paused"):
        change(campaigns.pause, rollout.id, 7)
    now = int(rollout.services.fleet.now().timestamp())
    change(campaigns.resume, rollout.id, now)
    with pytest.raises(Conflict, match="is launched"):
        change(campaigns.resume, rollout.id, now)
    rollout.move()
    assert rollout.campaign.state == rows.LAUNCHED
    assert rollout.states() == {"failed": 1, "accepted": 9, "waiting": 30}
    rollout.end(rollout.members(rows.ACCEPTED)[0], updates.FAILED)
    assert rollout.campaign.state == rows.PAUSED


def test_a_wave_that_ends_without_enough_is_no_silence(rollout):
    rollout.begin(waves=("4",), failures="", advance=75)
    under_way = rollout.members(rows.ACCEPTED)
    for number, one in enumerate(under_way):
        rollout.end(one, updates.DONE if number < 2 else updates.FAILED)
    rollout.move()
    assert rollout.campaign.state == rows.PAUSED
    assert rollout.campaign.reason == "after wave 1, fewer than 75% have it: 2"


def test_an_end_leaves_alone_who_installs(rollout, look):
    rollout.begin(waves=("10",))
    installs, downloads, *_ = rollout.members(rows.ACCEPTED)
    for name, state in ((installs, updates.INSTALLING), (downloads, updates.DOWNLOADING)):
        rollout.change(
            lambda c, name=name, state=state: assignments.move_on(
                c, updates.open_assignments(c, name)[0], Progress(state), 5
            )
        )
    rollout.change(campaigns.cancel, rollout.id, 9)
    assert rollout.states() == {"accepted": 1, "withdrawn": 39}
    assert look(updates.open_assignments, installs)
    assert not look(updates.open_assignments, downloads)
    rollout.end(installs, updates.DONE)
    assert rollout.states()["done"] == 1
    rollout.move()
    assert rollout.campaign.state == rows.CANCELLED


def test_devices_that_are_busy_come_later_and_others_never(rollout, change, fleet):
    def before(connection):
        wanted = assignments.Wanted(NAMES[0], "fw-1")
        assignments.assign(connection, wanted, rollout.images, 5)
        devices.remove_ecu(connection, f"{NAMES[1]}-ecu", 5)

    change(before)
    rollout.begin()
    assert rollout.states() == {"accepted": 38, "waiting": 1, "skipped": 1}
    change(assignments.cancel, NAMES[0], (), 6)
    rollout.move()
    assert rollout.states() == {"accepted": 39, "skipped": 1}
    for one in rollout.members(rows.ACCEPTED):
        rollout.end(one, updates.DONE)
    rollout.move()
    assert rollout.campaign.state == rows.FINISHED


def test_what_its_owner_takes_back_counts_neither_way(rollout, change):
    rollout.begin(waves=("2",), failures="1")
    first, second = rollout.members(rows.ACCEPTED)
    change(assignments.cancel, first, (), 6)
    rollout.end(second, updates.DONE)
    rollout.move()
    assert rollout.campaign.state == rows.LAUNCHED
    assert rollout.states() == {"withdrawn": 1, "done": 1, "accepted": 38}


def test_without_its_image_it_pauses(rollout):
    rollout.begin(waves=("2",))
    rollout.services.images.remove("fw-1", rollout.services.fleet.now())
    rollout.move()
    assert rollout.campaign.reason == "there is no image fw-1 any more"


def test_offers_come_in_waves_too(rollout, look, change):
    rollout.begin(mode=rows.OFFER, waves=("4",), advance=50)
    offered = rollout.members(rows.OFFERED)
    assert len(offered) == 4
    for name, answer in zip(
        offered, (rows.DECLINED, rows.POSTPONED, rows.ACCEPTED, rows.ACCEPTED), strict=True
    ):
        told = campaigns.Answer(rollout.id, name, answer)
        change(campaigns.take_answer, told, rollout.images, rollout.now)
    rollout.end(offered[2], updates.DONE)
    rollout.move()
    # One of three: who declines does not count.
    assert rollout.states()["waiting"] == 36
    change(campaigns.pause, rollout.id, rollout.now)
    assert look(campaigns.offers, offered[1]) == {"campaigns": []}
    change(campaigns.resume, rollout.id, rollout.now)
    rollout.move()
    assert look(campaigns.offers, offered[1])["campaigns"]
    rollout.end(offered[3], updates.DONE)
    rollout.move()
    assert rollout.states()["waiting"] == 0


def test_later_ones_take_part_at_the_end(rollout, change):
    rollout.begin(waves=("2",))

    def add(connection):
        devices.add_device(connection, "new", 1)
        ecu = devices.Ecu("new-ecu", "new", "board", "ED25519", "00")
        devices.put_ecu(connection, ecu)

    change(add)
    change(campaigns.launch, rollout.id, ["new", NAMES[0]], 6)
    (member,) = rollout.look(rows.campaign_devices, rollout.id, {"device_id": "new"})
    assert (member.wave, member.state) == (2, rows.WAITING)


def test_the_lot_is_the_same_and_waves_of_nobody_are_none(rollout):
    campaign = rollout.begin(waves=("1%", "2%", "3", "90")).campaign
    drawn = rollouts.plan(campaign, NAMES)
    assert drawn == rollouts.plan(campaign, reversed(NAMES))
    assert Counter(drawn.values()) == {1: 1, 2: 2, 3: 37}
    assert set(drawn) == set(NAMES)
