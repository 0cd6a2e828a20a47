# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.progress_rate import Rate, format_left


def test_only_the_last_seconds_count():
    rate = Rate(0.0)
    assert rate.per_second == 0
    for second in range(1, 11):
        rate.note(float(second), second * 1000)
    assert rate.per_second == 1000
    for second in range(11, 20):
        rate.note(float(second), 10_000)
    assert rate.per_second == 0


@pytest.mark.parametrize(
    ("elapsed_s", "done", "total", "left"),
    [
        (10.0, 1, 4, "0:00:30"),
        (3600.0, 1, 3, "2:00:00"),
        (10.0, 0, 4, ""),
        (10.0, 4, 4, ""),
        (0.0, 1, 4, ""),
        (10.0, 1, 0, ""),
    ],
)
def test_time_left(elapsed_s, done, total, left):
    assert format_left(elapsed_s, done, total) == left
