# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta

from ostrya.uptane.client import event_queue
from ostrya.uptane.client.event_queue import (
    Event,
    forget_events,
    oldest_events,
    put_event,
    unkept_event,
)
from support.uptane_world import NOW


def put(storage, *kinds):
    with storage.transaction() as connection:
        for kind in kinds:
            put_event(connection, Event(kind, NOW, "ecu-1", "urn:1", success=True))


def test_the_oldest_first_until_they_are_forgotten(storage):
    put(storage, "a", "b", "c")
    found = oldest_events(storage, 2)
    assert [one["eventType"]["id"] for _, one in found] == ["a", "b"]
    forget_events(storage, [number for number, _ in found])
    assert [one["eventType"]["id"] for _, one in oldest_events(storage, 9)] == ["c"]


def test_the_form_that_servers_know(storage):
    put(storage, "EcuInstallationCompleted")
    ((_, one),) = oldest_events(storage, 1)
    assert one["event"] == {"ecu": "ecu-1", "correlationId": "urn:1", "success": True}
    assert one["deviceTime"] == "2026-11-30T12:00:00Z"
    assert one["eventType"] == {"id": "EcuInstallationCompleted", "version": 0}
    assert len(one["id"]) == 36
    assert Event("x", NOW).to_json("1")["event"] == {"correlationId": ""}


def test_they_are_not_kept_without_end(storage, monkeypatch):
    monkeypatch.setattr(event_queue, "MAX_EVENTS", 3)
    put(storage, *"abcde")
    assert [one["eventType"]["id"] for _, one in oldest_events(storage, 9)] == ["c", "d", "e"]


def test_one_that_is_not_kept_has_one_id_a_day():
    event = Event("UpdateFailed", NOW, "ecu-1", success=False, description="no room")
    found = unkept_event(event)
    assert found["event"]["description"] == "no room"
    assert len(found["id"]) == 36
    assert unkept_event(event._replace(at=NOW + timedelta(hours=1)))["id"] == found["id"]
    others = [{"at": NOW + timedelta(days=1)}, {"ecu": "ecu-2"}, {"description": "no key"}]
    assert found["id"] not in [unkept_event(event._replace(**one))["id"] for one in others]
