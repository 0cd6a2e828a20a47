# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.delta.routes import RouteKind
from ostrya.pull.delta_found import DeltaTarget
from ostrya.pull.way import Way, WaysTo

ONE = "1" * 64
OBJECTS = Way(RouteKind.OBJECTS, (ONE,), 1000, 5, 0, 9000, True, None, ())
DELTA = Way(RouteKind.DELTA, (ONE,), 2000, 4, None, 8000, False, None, (None,))


def test_the_cheapest_that_can_be_gone():
    found = WaysTo(DeltaTarget(ONE), (OBJECTS, DELTA))
    assert not found.is_here
    assert found.cheapest() is OBJECTS
    assert found.cheapest(with_delta=True) is DELTA
    found = found._replace(ways=(OBJECTS._replace(obstacle="no room"), DELTA))
    assert found.cheapest() is DELTA
    assert WaysTo(DeltaTarget(ONE), ()).is_here
