# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.repo.write_counts import WriteCounts


def test_they_cross_a_border_and_are_added():
    one, two = WriteCounts(), WriteCounts()
    one.add((1, 2, 3, 4, 5, 6))
    two.add(one.take())
    two.add((1, 1, 1, 1, 1, 1))
    assert one.as_tuple() == (0,) * 6
    assert two.as_tuple() == (2, 3, 4, 5, 6, 7)
