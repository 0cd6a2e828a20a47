# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fleet.db import devices, log


@pytest.fixture(autouse=True)
def owners(change):
    for name in ("a", "b"):
        change(devices.add_device, name, 5)


def event(uuid, device="a"):
    return log.Event(0, uuid, device, 1, "", "T", "e", "", None, "{}")


def test_events_are_known_by_device_and_name(change, look):
    change(log.add_events, [event("1"), event("1", "b"), event("2")])
    assert look(log.known_events, "a", ["1", "3"]) == {"1"}
    assert [one.uuid for one in look(lambda c: log.list_events(c, {"device_id": "a"}))] == [
        "1",
        "2",
    ]
    newest = look(lambda c: log.list_events(c, {}, after=-1))
    assert [(one.device_id, one.uuid) for one in newest] == [("a", "2")]
    assert look(lambda c: log.list_events(c, {}, after=newest[0].id)) == ()


def test_old_events_are_forgotten(change, look):
    change(log.add_events, [event(str(at)) for at in range(5)] + [event("x", "b")])
    assert look(log.devices_with_more_events, 2) == ("a",)
    change(log.forget_events, "a", 2)
    assert [one.uuid for one in look(lambda c: log.list_events(c, {"device_id": "a"}))] == [
        "3",
        "4",
    ]
    assert look(lambda c: log.list_events(c, {"device_id": "b"}))
    change(log.forget_events, "b", 2)
    assert look(lambda c: log.list_events(c, {"device_id": "b"}))


def test_what_a_device_says_of_itself_replaces_what_it_said(change, look):
    change(log.put_device_data, "a", "network", "1", 1)
    change(log.put_device_data, "a", "network", "2", 2)
    assert look(log.device_data, "a") == {"network": (2, "2")}


def test_reports_come_newest_first(change, look):
    for code in ("1", "2"):
        change(log.add_report, log.Report(0, "a", 1, "", None, code, "", "{}"))
    assert [one.code for one in look(log.list_reports, "a")] == ["2", "1"]
