# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.pull_ways import print_ways, ways_as_json
from ostrya.delta.routes import RouteKind
from ostrya.pull.delta_found import DeltaTarget
from ostrya.pull.way import Way, WaysTo

ONE, TWO = "1" * 64, "2" * 64
VIA, NOT = f" by way of {TWO}", "not possible: no memory"
SPACE = "\N{NO-BREAK SPACE}"
OBJECTS = Way(RouteKind.OBJECTS, (ONE,), 1000, 5, 0, 9000, True, None, ())
CHAIN = Way(RouteKind.CHAIN, (TWO, ONE), 2000, 4, None, 8000, False, "no memory", (None, None))
UNKNOWN = Way(RouteKind.OBJECTS, (ONE,), None, None, 0, None, False, None, ())


def test_text(capsys):
    ways = (
        WaysTo(DeltaTarget(ONE, "main"), (OBJECTS, CHAIN)),
        WaysTo(DeltaTarget(ONE), (CHAIN._replace(memory=64_000_000, obstacle=None), UNKNOWN)),
        WaysTo(DeltaTarget(TWO), ()),
    )
    print_ways(ways)
    assert capsys.readouterr().out.replace(SPACE, " ").splitlines() == [
        f"To main, {ONE}:",
        "  objects      about 1.0 kB, 5 requests, 9.0 kB written",
        f"  chain        2.0 kB, 4 requests, memory not stated, 8.0 kB written{VIA}; {NOT}",
        f"To {ONE}:",
        f"  chain        2.0 kB, 4 requests, 64.0 MB to apply, 8.0 kB written{VIA}",
        "  objects      size not known, requests not known",
        f"To {TWO}: it is here",
    ]


def test_json():
    [found] = ways_as_json([WaysTo(DeltaTarget(ONE, "main"), (OBJECTS,))])
    assert found == {
        "ref": "main",
        "commit": ONE,
        "routes": [
            {
                "kind": "objects", "steps": [ONE], "size": 1000, "requests": 5, "memory": 0,
                "space": 9000, "is_estimate": True, "obstacle": None,
            }
        ],
    }  # fmt: skip
