# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.fleet_campaigns import devices, show_waves
from ostrya.fleet.db.campaigns import Campaign, Count


def test_waves_as_they_are_shown(capsys):
    campaign = Campaign("c", "n", "t", "", 0, 0, False, "launched", 1, 1, wave=1)
    counts = (Count(1, "done", 2, 0), Count(1, "failed", 1, 1), Count(2, "waiting", 1, 0))
    show_waves(campaign, counts)
    assert capsys.readouterr().out.splitlines() == [
        "  wave 1  3 devices  done: 2, failed: 1",
        "  wave 2  1 device, not begun  waiting: 1",
    ]
    assert devices(1) == "1 device"
