# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ostrya.uptane.client.clock_check import clock_fault
from ostrya.uptane.client.primary import End
from ostrya.uptane.time_floor import TimeFloor
from support.ota_world import BUILT, NOW, event_body, make_device

FIRST = datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC)


def test_what_is_known():
    floor = TimeFloor(datetime(2026, 1, 1, tzinfo=UTC))
    assert clock_fault(floor, floor.moment) == ""
    assert clock_fault(floor, FIRST) == (
        "the clock says 1970-01-01T00:00:07Z, but it is 2026-01-01T00:00:00Z at least"
    )


def told(device) -> list[dict]:
    events = device.server.events.values()
    return [event_body(one) for one in events if one["eventType"]["id"] == "ClockWrong"]


def test_it_is_told_once_until_the_clock_was_right(tmp_path):
    # What the server signed has to be of today for a device that knows today's date only.
    device = make_device(tmp_path, clock=lambda: FIRST, built_at=NOW)
    assert device.cycle().end is End.INSTALLED
    device.cycle()
    (one,) = told(device)
    assert "the clock says 1970-01-01T00:00:07Z" in one["description"]
    assert not one["success"]
    device.clock = lambda: NOW + timedelta(seconds=1)
    device.cycle()
    assert len(told(device)) == 1
    device.clock = lambda: FIRST
    device.cycle()
    assert len(told(device)) == 2


def test_a_right_clock_is_nothing_to_tell(tmp_path):
    device = make_device(tmp_path, built_at=BUILT)
    device.cycle()
    assert told(device) == []
