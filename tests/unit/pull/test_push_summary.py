# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.summary import Summary, SummaryFacts, SummaryRef, build_summary
from ostrya.pull.push_summary import TargetFacts, renew_summary

A, B = "a" * 64, "b" * 64
FACTS = TargetFacts("archive-z2")


def describe(name, checksum):
    return SummaryRef(name, 7, checksum)


def test_the_first_one():
    made = renew_summary(None, {"two": B, "one": A}, describe, FACTS, 99)
    assert [ref.name for ref in made.refs] == ["one", "two"]
    assert made.last_modified == 99
    assert made.metadata.lookup("ostree.summary.mode", "s") == "archive-z2"
    assert Summary.decode(made.encode()) == made


def test_what_the_old_one_says_is_kept():
    extra = VarDict.of({"xa.title": Variant("s", "Title")})
    old = build_summary(
        [SummaryRef("one", 5, A), SummaryRef("gone", 5, A), SummaryRef("moved", 5, A)],
        {"com.example.Other": [SummaryRef("x", 1, B)]},
        SummaryFacts("archive-z2", 1, additional=extra),
    )
    made = renew_summary(old, {"one": A, "moved": B}, describe, FACTS, 99)
    assert [(ref.name, ref.size, ref.checksum) for ref in made.refs] == [
        ("moved", 7, B),
        ("one", 5, A),
    ]
    assert made.metadata.lookup("xa.title", "s") == "Title"
    assert [ref.name for ref in made.collection_map()["com.example.Other"]] == ["x"]
    assert made.last_modified == 99


@pytest.mark.parametrize("has_old", [False, True])
def test_refs_of_a_collection(has_old):
    facts = TargetFacts("archive-z2", "com.example.Os")
    old = renew_summary(None, {"one": A}, describe, facts, 1) if has_old else None
    made = renew_summary(old, {"one": A, "two": B}, describe, facts, 2)
    assert [ref.name for ref in made.refs] == ["one", "two"]
    assert made.collection_id == "com.example.Os"
    assert made.collection_map() == {}
