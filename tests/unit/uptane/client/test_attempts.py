# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client.attempts import Pace, failed_attempts, is_given_up, next_pause_s
from ostrya.uptane.client.installs import Install, State, Target

TARGET = Target("e", "n", 1, {"sha256": "a"}, None, "u1")


def test_only_failures_of_this_image_in_this_update_count():
    log = [
        Install(1, TARGET, State.FAILED),
        Install(2, TARGET._replace(correlation_id="u2"), State.FAILED),
        Install(3, TARGET._replace(name="m"), State.FAILED),
        Install(4, TARGET._replace(hashes={"sha256": "b"}), State.FAILED),
        Install(5, TARGET, State.EARLIER),
        Install(6, TARGET, State.FAILED),
    ]
    assert failed_attempts(log, TARGET) == 2
    assert is_given_up(log, TARGET, 2)
    assert not is_given_up(log, TARGET, 3)


@pytest.mark.parametrize(
    ("failures", "chance", "pause"),
    [
        (0, 0.9, 10),
        (1, 0.5, 20),
        (2, 0.5, 40),
        (2, 0, 32),
        (2, 1, 48),
        (9, 0.5, 300),
        (99, 0.5, 300),
    ],
)
def test_pauses_double_and_are_spread(failures, chance, pause):
    assert next_pause_s(Pace(10, 300), failures, chance) == pytest.approx(pause)


def test_the_longest_pause_is_never_below_the_usual_one():
    assert next_pause_s(Pace(1000, 300), 3, 0.5) == 1000
