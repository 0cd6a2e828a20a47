# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta

from ostrya.uptane.time_floor import TimeFloor
from support.uptane_world import NOW


def test_it_is_never_earlier():
    floor = TimeFloor(NOW)
    before, after = NOW - timedelta(days=1), NOW + timedelta(days=1)
    assert floor.now(before) == NOW
    assert floor.now(after) == after
    assert floor.is_behind(before)
    assert not floor.is_behind(after)


def test_it_rises_and_never_falls():
    floor = TimeFloor(NOW)
    later = NOW + timedelta(days=1)
    assert floor.raised(later) == TimeFloor(later)
    assert floor.raised(later).raised(NOW) == TimeFloor(later)
