# SPDX-License-Identifier: Apache-2.0
"""The window, with a link that is made up."""

from __future__ import annotations

import pytest

from ostrya.fetch.window import MAX_CONNECTIONS, MAX_STREAMS, START, Window


def run(window: Window, rounds: int, *, latency_s: float, rate: float, size: int = 4000) -> float:
    """Answer so many rounds: each takes the latency, or as long as the link needs."""
    now = 0.0
    for _ in range(rounds):
        width = window.width
        now += max(latency_s, width * size / rate)
        for number in range(width):
            window.completed(now - (width - number) * 1e-9, size)
    return now


def test_it_opens_quickly_on_a_long_link():
    window = Window(0.0, limit=MAX_STREAMS)
    assert window.width == START
    run(window, 6, latency_s=0.1, rate=1e9)
    assert window.width == MAX_STREAMS


def test_it_opens_slowly_where_width_gains_nothing():
    window = Window(0.0, limit=MAX_STREAMS)
    run(window, 4, latency_s=0.0, rate=1e6)
    assert window.width <= 2 * START + 4 * 4


@pytest.mark.parametrize("limit", [1, 2, 8, 10, MAX_CONNECTIONS])
def test_it_stays_within_its_limit(limit):
    window = Window(0.0, limit=limit)
    run(window, 50, latency_s=0.1, rate=1e9)
    assert window.width <= limit


def test_it_closes_when_the_server_has_too_much_to_do():
    window = Window(0.0)
    run(window, 10, latency_s=0.1, rate=1e9)
    width = window.width
    # All that is in flight says the same, and is heard once.
    for _ in range(width):
        window.overloaded(10.0)
    assert window.width == width // 2
    window.overloaded(11.0)
    assert window.width == width // 4


def test_it_never_closes_altogether():
    window = Window(0.0)
    for _ in range(1000):
        window.overloaded(1.0)
    assert window.width == 2


def test_it_stands_still_when_things_get_slower():
    window = Window(0.0)
    now = run(window, 3, latency_s=0.01, rate=1e9)
    width = window.width
    for number in range(width):
        window.completed(now + 10 + number, 4000)
    assert window.width == width


def test_a_clock_that_stands_still_is_no_division_by_zero():
    window = Window(5.0)
    for _ in range(100):
        window.completed(5.0, 1)
    assert window.width == START
