# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ostrya.uptane.client.primary import End
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.client.trust_store import load_time_floor
from ostrya.uptane.client.verifying import device_time
from support.ota_world import make_device
from support.uptane_world import LATER, NOW


def floor(device):
    with open_storage(device.database) as storage:
        return load_time_floor(storage, device.built_at).moment


def test_the_floor_rises_with_what_was_verified_in_steps(tmp_path):
    device = make_device(tmp_path)
    device.cycle()
    assert floor(device) == NOW
    device.clock = lambda: NOW + timedelta(minutes=59)
    device.cycle()
    assert floor(device) == NOW
    device.clock = lambda: NOW + timedelta(minutes=60)
    device.cycle()
    assert floor(device) == NOW + timedelta(hours=1)


def test_a_clock_at_1970_is_taken_for_the_floor(tmp_path):
    """X18."""
    device = make_device(tmp_path)
    device.cycle()
    device.clock = lambda: datetime(1970, 1, 1, tzinfo=UTC)
    with device.primary() as primary:
        assert device_time(primary._parts) == NOW
    assert device.cycle().end is End.UP_TO_DATE


def test_a_clock_at_2100_refuses_all_says_why_and_heals(tmp_path):
    device = make_device(tmp_path)
    device.clock = lambda: datetime(2100, 1, 1, tzinfo=UTC)
    found = device.cycle()
    assert found.end is End.FAILED
    assert "it is 2100-01-01T00:00:00Z" in found.words
    assert "set the clock" in found.words
    assert floor(device) == device.built_at
    device.clock = lambda: NOW
    assert device.cycle().end is End.INSTALLED


@pytest.mark.parametrize("built_at", [NOW + LATER + timedelta(days=1)])
def test_metadata_older_than_the_program_is_too_old(tmp_path, built_at):
    device = make_device(tmp_path, built_at=built_at)
    assert "expired" in device.cycle().words
