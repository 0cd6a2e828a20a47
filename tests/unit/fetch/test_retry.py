# SPDX-License-Identifier: Apache-2.0
"""When to try again, and where."""

from __future__ import annotations

import pytest

from ostrya.fetch.retry import Attempts, Move, Outcome, RetryPolicy, is_overloaded, is_transient

A, T, F = Outcome.ABSENT, Outcome.TRANSIENT, Outcome.FATAL


def test_delays_double_up_to_a_limit():
    policy = RetryPolicy(first_delay_s=1, max_delay_s=10)
    assert [policy.delay_s(n, 1.0) for n in range(1, 7)] == [1, 2, 4, 8, 10, 10]
    assert policy.delay_s(3, 0.5) == 2
    assert policy.delay_s(3, 0.0) == 0
    assert policy.delay_s(10_000, 1.0) == 10


def test_what_a_server_asks_for_is_done_within_limits():
    policy = RetryPolicy(first_delay_s=1, max_delay_s=10)
    assert policy.delay_s(1, 1.0, asked_s=5) == 5
    assert policy.delay_s(1, 1.0, asked_s=500) == 10


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_statuses_that_pass(status):
    assert is_transient(status)
    assert is_overloaded(status) == (status in {429, 503})


@pytest.mark.parametrize("status", [200, 304, 400, 401, 403, 404, 410, 416, 501])
def test_statuses_that_stay(status):
    assert not is_transient(status)


def tries(alternatives: int, retries: int, outcomes: str):
    """Which alternatives are tried, and how it ends."""
    attempts = Attempts(alternatives, retries)
    kinds = {"A": A, "T": T, "F": F}
    tried = []
    move = None
    for outcome in outcomes:
        tried.append(attempts.index)
        move = attempts.record(kinds[outcome])
        if move in {Move.ABSENT, Move.GIVE_UP}:
            break
    return tried, move


@pytest.mark.parametrize(
    ("alternatives", "retries", "outcomes", "tried", "end"),
    [
        (1, 5, "A", [0], Move.ABSENT),
        (1, 5, "F", [0], Move.GIVE_UP),
        (1, 0, "T", [0], Move.GIVE_UP),
        (1, 2, "TTT", [0, 0, 0], Move.GIVE_UP),
        (1, 2, "TT", [0, 0], Move.LATER),
        (3, 5, "AAA", [0, 1, 2], Move.ABSENT),
        (3, 5, "A", [0], Move.NEXT),
        (3, 0, "ATF", [0, 1, 2], Move.ABSENT),
        (2, 1, "TFT", [0, 1, 0], Move.GIVE_UP),
        (3, 1, "TATTT", [0, 1, 2, 0, 2], Move.ABSENT),
        (2, 1, "TTTT", [0, 1, 0, 1], Move.GIVE_UP),
    ],
)
def test_orders(alternatives, retries, outcomes, tried, end):
    assert tries(alternatives, retries, outcomes) == (tried, end)


def test_progress_gives_the_retries_back():
    attempts = Attempts(1, 1)
    for _ in range(10):
        assert attempts.record(T) is Move.LATER
        attempts.made_progress()
    assert attempts.record(T) is Move.LATER
    assert attempts.record(T) is Move.GIVE_UP
