# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.summary_dump import format_summary, summary_as_json
from ostrya.formats.checksum import Checksum
from ostrya.formats.gvariant.byteorder import swap_u64
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.summary import Summary, SummaryRef

A = Checksum("a" * 64)


def test_every_kind_of_line(monkeypatch):
    monkeypatch.setattr("time.localtime", __import__("time").gmtime)
    ref = SummaryRef(
        "main",
        1234,
        A,
        VarDict.of(
            {
                "ostree.commit.version": Variant("s", "7"),
                "ostree.commit.timestamp": Variant("t", swap_u64(0)),
                "other": Variant("u", 1),
            }
        ),
    )
    metadata = {
        "ostree.summary.last-modified": Variant("t", swap_u64(1)),
        "ostree.summary.tombstone-commits": Variant("b", value=True),
        "ostree.summary.mode": Variant("s", "bare"),
        "ostree.static-deltas": Variant("a{sv}", VarDict()),
        "mine": Variant("s", "x"),
    }
    assert format_summary(Summary((ref,), VarDict.of(metadata))).splitlines() == [
        "* main",
        "    Latest Commit (1.2\xa0kB):",
        f"      {A}",
        "    Version (ostree.commit.version): 7",
        "    Timestamp (ostree.commit.timestamp): 1970-01-01T00:00:00+00",
        "    other: 1",
        "",
        "Last-Modified (ostree.summary.last-modified): 1970-01-01T00:00:01+00",
        "Has Tombstone Commits (ostree.summary.tombstone-commits): Yes",
        "Repository Mode (ostree.summary.mode): bare",
        "Static Deltas (ostree.static-deltas): {}",
        "mine: 'x'",
    ]


def test_a_time_that_is_none_is_shown_as_it_is():
    summary = Summary((), VarDict.of({"ostree.summary.expires": Variant("s", "soon")}))
    assert format_summary(summary) == "Expires (ostree.summary.expires): soon\n"


def test_json(schema):
    summary = Summary((SummaryRef("main", 1, A),), VarDict())
    schema(summary_as_json(summary, signed=False), "summary")
