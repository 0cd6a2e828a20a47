# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.uptane.client.event_queue import Event, oldest_events, queue_event
from ostrya.uptane.client.reports import BATCH, send_events
from ostrya.uptane.client.server import EventsOutcome
from ostrya.uptane.client.state import Area, Condition, load_troubles
from ostrya.uptane.errors import ServerUnreachable
from support.ota_device import NOW


class Taker:
    """A server that takes events of one size, one by one or more at a time."""

    def __init__(self, most=BATCH, outcome=EventsOutcome.TAKEN):
        self.most = most
        self.outcome = outcome
        self.taken: list[str] = []
        self.bad = ""
        self.error: Exception | None = None
        self.on_send = lambda: None

    def send_events(self, events):
        if self.error is not None:
            raise self.error
        kinds = [one["eventType"]["id"] for one in events]
        if len(kinds) > self.most or self.bad in kinds:
            return EventsOutcome.TOO_LARGE
        self.on_send()
        self.taken += kinds
        return self.outcome


def queue(storage, count):
    for number in range(count):
        queue_event(storage, Event(f"E{number}", NOW))


def test_all_are_handed_in_in_order(storage):
    queue(storage, 2 * BATCH + 1)
    server = Taker()
    assert send_events(storage, server, NOW) == (2 * BATCH + 1, 0, None)
    assert server.taken == [f"E{number}" for number in range(2 * BATCH + 1)]
    assert oldest_events(storage, 1) == ()


def test_those_that_are_too_many_go_in_parts(storage):
    queue(storage, 11)
    server = Taker(most=3)
    assert send_events(storage, server, NOW).taken == 11
    assert server.taken == [f"E{number}" for number in range(11)]


def test_one_that_is_too_large_is_dropped_alone(storage):
    queue(storage, 9)
    server = Taker()
    server.bad = "E4"
    assert send_events(storage, server, NOW) == (8, 1, None)
    assert "E4" not in server.taken
    assert oldest_events(storage, 1) == ()


def test_a_server_without_events_gets_none(storage):
    queue(storage, 2)
    sent = send_events(storage, Taker(outcome=EventsOutcome.NOT_THERE), NOW)
    assert (sent.taken, sent.dropped) == (0, 2)
    assert oldest_events(storage, 1) == ()


def test_what_is_not_taken_stays_and_is_a_trouble(storage):
    queue(storage, 2)
    server = Taker()
    server.error = ServerUnreachable("https://host", "away")
    assert send_events(storage, server, NOW).error is server.error
    assert len(oldest_events(storage, 9)) == 2
    assert load_troubles(storage)[Area.EVENTS].condition is Condition.SERVER_UNREACHABLE
    server.error = None
    assert send_events(storage, server, NOW).taken == 2
    assert load_troubles(storage) == {}


def test_what_is_queued_meanwhile_waits(storage):
    queue(storage, 1)
    server = Taker()
    server.on_send = lambda: queue_event(storage, Event("later", NOW))
    assert send_events(storage, server, NOW).taken == 1
    assert len(oldest_events(storage, 9)) == 1
