# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ostrya.uptane.client.running_time import RunningTime
from ostrya.uptane.time_floor import TimeFloor

FIRST = datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC)


def test_time_goes_on_from_the_floor_while_the_clock_is_behind():
    passed = [100.0]
    running = RunningTime(lambda: passed[0])
    floor = TimeFloor(datetime(2026, 1, 1, tzinfo=UTC))
    assert running.now(floor, FIRST) == floor.moment
    passed[0] = 160.0
    # A clock that jumps, and is still wrong, takes nothing with it.
    assert running.now(floor, FIRST.replace(year=2020)) == floor.moment + timedelta(seconds=60)
    # What was verified meanwhile is not counted twice.
    raised = floor.raised(floor.moment + timedelta(seconds=50))
    passed[0] = 170.0
    assert running.now(raised, FIRST) == floor.moment + timedelta(seconds=70)
    right = floor.moment + timedelta(days=3)
    assert running.now(raised, right) == right
    passed[0] = 900.0
    assert running.now(TimeFloor(right), FIRST) == right
