# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.fleet.db import campaigns, devices


def test_pages_counts_and_whose_turn_it_is(change, look):
    one = campaigns.Campaign("c", "n", "t", "", 0, 0, False, campaigns.LAUNCHED, 1, 1, wave=1)

    def fill(connection):
        campaigns.add_campaign(connection, one)
        states = (campaigns.WAITING, campaigns.FAILED, campaigns.FAILED, campaigns.WAITING)
        for number, state in enumerate(states):
            devices.add_device(connection, f"d{number}", 1)
            reason = "busy" if number == 0 else ""
            wave = 2 if number == 3 else 1
            member = campaigns.CampaignDevice("c", f"d{number}", state, reason, number, wave)
            campaigns.add_campaign_devices(connection, [member])

    change(fill)
    assert look(campaigns.find_campaign, "c") == one
    counted = one._replace(counted_from=2)
    assert look(campaigns.count_campaign_devices, counted) == (
        (1, "failed", 2, 1), (1, "waiting", 1, 0), (2, "waiting", 1, 0),
    )  # fmt: skip
    page = look(lambda c: campaigns.campaign_devices(c, "c", after="d0", limit=2))
    assert [member.device_id for member in page] == ["d1", "d2"]
    # Tried in vain a moment ago, and of a later wave.
    assigned = one._replace(mode=campaigns.ASSIGN)
    assert look(campaigns.next_campaign_devices, assigned, -1, 9) == ()
    assert [m.device_id for m in look(campaigns.next_campaign_devices, assigned, 0, 9)] == ["d0"]
    # Of those that are asked, only who has agreed.
    assert look(campaigns.next_campaign_devices, one, 0, 9) == ()
    assert change(campaigns.offer_to_waiting, one, 5) == 1
    assert look(campaigns.known_devices, ["d0", "x"]) == {"d0"}
    assert campaigns.id_in(one.correlation_id) == "c"
    assert campaigns.id_in("urn:other") == ""
