# SPDX-License-Identifier: Apache-2.0
"""What ``pull --plan`` prints: the ways to each commit, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.output import write_line
from ostrya.repo.free_space import format_size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.pull.way import Way, WaysTo


def print_ways(found: Iterable[WaysTo]) -> None:
    """Print a line for each way, the cheapest first."""
    for one in found:
        target = one.target
        named = target.commit if target.ref is None else f"{target.ref}, {target.commit}"
        if one.is_here:
            write_line(f"To {named}: it is here")
            continue
        write_line(f"To {named}:")
        for way in one.ways:
            write_line(f"  {way.kind:<12} {_describe(way)}")


def _describe(way: Way) -> str:
    about = "about " if way.is_estimate else ""
    words = [
        "size not known" if way.size is None else f"{about}{format_size(way.size)}",
        "requests not known" if way.requests is None else f"{way.requests} requests",
    ]
    if way.deltas:
        known = way.memory is not None
        words.append(f"{format_size(way.memory or 0)} to apply" if known else "memory not stated")
    if way.space is not None:
        words.append(f"{format_size(way.space)} written")
    via = f" by way of {', '.join(way.steps[:-1])}" if len(way.steps) > 1 else ""
    obstacle = "" if way.obstacle is None else f"; not possible: {way.obstacle}"
    return f"{', '.join(words)}{via}{obstacle}"


def ways_as_json(found: Iterable[WaysTo]) -> list[dict[str, object]]:
    """Give the same as values for JSON."""
    return [
        {
            "ref": one.target.ref,
            "commit": one.target.commit,
            "routes": [_way_as_json(way) for way in one.ways],
        }
        for one in found
    ]


def _way_as_json(way: Way) -> dict[str, object]:
    values = way._asdict()
    del values["deltas"]
    return {**values, "kind": str(way.kind), "steps": list(way.steps)}
