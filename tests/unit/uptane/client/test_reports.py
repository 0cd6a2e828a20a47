# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client import reports
from ostrya.uptane.client.event_queue import Event, oldest_events, queue_event
from ostrya.uptane.client.reports import send_events
from ostrya.uptane.client.server import EventsOutcome
from ostrya.uptane.client.state import Area, Condition, load_troubles
from ostrya.uptane.errors import ServerUnreachable
from support.ota_device import NOW


class Taker:
    """A server that takes events as long as there are not too many."""

    def __init__(self, most: int = 1000) -> None:
        self.most = most
        self.taken: list[str] = []
        self.asked: list[int] = []
        self.outcome = EventsOutcome.TAKEN
        self.fail_at = -1

    def send_events(self, events):
        self.asked.append(len(events))
        if len(self.asked) - 1 == self.fail_at:
            raise ServerUnreachable("https://gate/events", "gone", hint="later")
        if len(events) > self.most:
            return EventsOutcome.TOO_LARGE
        if self.outcome is EventsOutcome.TAKEN:
            self.taken += [one["event"]["correlationId"] for one in events]
        return self.outcome


def fill(storage, count: int) -> list[str]:
    for number in range(count):
        queue_event(storage, Event("DevicePaused", NOW, correlation_id=str(number)))
    return [str(number) for number in range(count)]


def test_in_batches_and_in_order(storage, monkeypatch):
    monkeypatch.setattr(reports, "BATCH", 4)
    all_of_them = fill(storage, 10)
    server = Taker()
    assert send_events(storage, server, NOW) == (10, 0, None)
    assert server.taken == all_of_them
    assert server.asked == [4, 4, 2]
    assert oldest_events(storage, 99) == ()
    assert send_events(storage, server, NOW) == (0, 0, None)
    assert server.asked == [4, 4, 2]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_fewer_where_they_are_too_large(storage, most):
    all_of_them = fill(storage, 9)
    server = Taker(most)
    assert send_events(storage, server, NOW) == (9, 0, None)
    assert server.taken == all_of_them
    assert max(server.asked) == 9


def test_one_that_is_too_large_alone_is_dropped_and_no_other(storage):
    fill(storage, 4)
    server = Taker()

    def picky(events, honest=server.send_events):
        large = any(one["event"]["correlationId"] == "2" for one in events)
        return EventsOutcome.TOO_LARGE if large else honest(events)

    server.send_events = picky
    assert send_events(storage, server, NOW) == (3, 1, None)
    assert server.taken == ["0", "1", "3"]
    assert oldest_events(storage, 99) == ()


def test_a_server_that_takes_none(storage):
    fill(storage, 3)
    server = Taker()
    server.outcome = EventsOutcome.NOT_THERE
    assert send_events(storage, server, NOW) == (0, 3, None)
    assert oldest_events(storage, 99) == ()


def test_kept_while_the_server_is_away(storage, monkeypatch):
    monkeypatch.setattr(reports, "BATCH", 2)
    all_of_them = fill(storage, 5)
    server = Taker()
    server.fail_at = 1
    found = send_events(storage, server, NOW)
    assert (found.taken, found.dropped) == (2, 0)
    assert isinstance(found.error, ServerUnreachable)
    trouble = load_troubles(storage)[Area.EVENTS]
    assert trouble.condition is Condition.SERVER_UNREACHABLE
    assert len(oldest_events(storage, 99)) == 3
    assert send_events(storage, server, NOW).taken == 3
    assert server.taken == all_of_them
    assert load_troubles(storage) == {}


def test_what_is_queued_meanwhile_waits(storage):
    fill(storage, 2)
    server = Taker()

    def busy(events, honest=server.send_events):
        queue_event(storage, Event("DevicePaused", NOW))
        return honest(events)

    server.send_events = busy
    assert send_events(storage, server, NOW).taken == 2
    assert len(oldest_events(storage, 99)) == 1
