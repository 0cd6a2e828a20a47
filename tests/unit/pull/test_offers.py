# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import NamedTuple

import pytest

from ostrya.errors import FormatError
from ostrya.formats.gvariant.byteorder import encode_time
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.refs import CollectionRef
from ostrya.formats.summary import Summary, SummaryFacts, SummaryRef, build_summary
from ostrya.pull.offers import (
    CONFIG,
    MOUNT,
    Offer,
    Offered,
    Place,
    choose,
    read_offer,
    ref_order,
    unclear_commits,
)

OLD, NEW, ODD = "aa" * 32, "bb" * 32, "cc" * 32
A, B = CollectionRef("org.x.A", "app"), CollectionRef("org.x.A", "base")


class Settings(NamedTuple):
    name: str


def place(name, finder=CONFIG, owner="org.x.A"):
    return Place(Settings(name), f"file:///{name}", finder, owner)


def offer(name, refs, *, finder=CONFIG, last_modified=0):
    offered = {ref: Offered(commit, time) for ref, (commit, time) in refs.items()}
    return Offer(place(name, finder), last_modified, offered)


def entry(name, commit, time=None):
    metadata = VarDict()
    if time is not None:
        metadata = VarDict.of({"ostree.commit.timestamp": Variant("t", encode_time(time))})
    return SummaryRef(name, 5, commit, metadata)


def names(found):
    return [remote.place.settings.name for remote in found]


# ----------------------------------------------------------------------------- summaries


def test_what_a_summary_offers():
    facts = SummaryFacts("archive-z2", 77, collection_id="org.x.A")
    collections = {
        "org.x.A": [entry("app", OLD, 3), entry("base", NEW)],
        "org.x.B": [entry("app", ODD, 4)],
    }
    summary = build_summary([], collections, facts)
    wanted = [A, B, CollectionRef("org.x.A", "none"), CollectionRef("org.x.B", "app")]
    found = read_offer(place("r"), summary, wanted)
    assert found.refs == {A: Offered(OLD, 3), B: Offered(NEW, None)}
    assert found.last_modified == 77
    # The same refs are those of another collection too; the keys of this place are not.
    found = read_offer(place("r", owner="org.x.B"), summary, wanted)
    assert found.refs == {CollectionRef("org.x.B", "app"): Offered(ODD, 4)}


def test_refs_without_a_collection_are_nobodys():
    found = read_offer(place("r"), Summary((entry("app", OLD, 3),)), [A])
    assert (found.refs, found.last_modified) == ({}, 0)


def test_a_damaged_collection_map():
    bad = (("org.x.A", (("app", (1, b"short", VarDict())),)),)
    kind = "a{sa(s(taya{sv}))}"
    summary = Summary((), VarDict.of({"ostree.summary.collection-map": Variant(kind, bad)}))
    with pytest.raises(FormatError, match="app"):
        read_offer(place("r"), summary, [A])


# ------------------------------------------------------------------------------- choosing


def test_the_newest_commit_wins_wherever_it_is():
    offers = [
        offer("stick", {A: (OLD, 1), B: (OLD, 1)}, finder=MOUNT),
        offer("origin", {A: (NEW, 2), B: (OLD, 1)}),
    ]
    found = choose(offers, [A, B], {})
    assert names(found) == ["stick", "origin"]
    assert found[0].wanted == {B: OLD}
    assert found[0].refs == {A: None, B: OLD}
    assert found[1].wanted == {A: NEW, B: OLD}


def test_who_has_old_commits_only_is_left_out():
    offers = [offer("mirror", {A: (OLD, 1)}), offer("origin", {A: (NEW, 2)}), offer("empty", {})]
    assert names(choose(offers, [A], {})) == ["origin"]
    assert choose([], [A], {}) == []
    assert choose([offer("empty", {})], [A], {}) == []


def test_of_two_commits_of_one_second_the_first_is_taken():
    offers = [offer("one", {A: (OLD, 2)}), offer("two", {A: (NEW, 2)})]
    assert names(choose(offers, [A], {})) == ["one"]


@pytest.mark.parametrize(
    ("one", "two", "first"),
    [
        ({"finder": CONFIG}, {"finder": MOUNT}, "b"),
        ({"last_modified": 9}, {"last_modified": 8}, "b"),
        # An unknown age says nothing.
        ({"last_modified": 9}, {"last_modified": 0}, "a"),
        ({}, {}, "a"),
    ],
    ids=["priority", "age of the summary", "unknown age", "name"],
)
def test_order(one, two, first):
    refs = {A: (OLD, 1)}
    offers = [offer("b", refs, **two), offer("a", refs, **one)]
    assert names(choose(offers, [A], {}))[0] == first


def test_fewer_refs_come_first():
    offers = [offer("a", {A: (OLD, 1), B: (OLD, 1)}), offer("b", {B: (OLD, 1)})]
    assert names(choose(offers, [A, B], {})) == ["b", "a"]


def test_order_of_refs():
    """As Debian's ``ostree`` printed them."""
    hm, nope = CollectionRef("org.b.B", "hm"), CollectionRef("org.a.A", "nope")
    app = CollectionRef("org.a.A", "app")
    assert ref_order([app, nope, hm, app]) == [app, hm, nope]


# ----------------------------------------------------------------------------------- ages


def test_ages_that_somebody_has_to_look_up():
    offers = [
        offer("one", {A: (OLD, 1), B: (NEW, None)}),
        offer("two", {A: (OLD, 2), B: (ODD, 3)}),
        offer("three", {A: (OLD, 1)}),
    ]
    found = unclear_commits(offers, {})
    assert {commit: [p.settings.name for p in places] for commit, places in found.items()} == {
        OLD: ["one", "two", "three"],
        NEW: ["one"],
    }
    assert set(unclear_commits(offers, {OLD: 1})) == {NEW}
    assert unclear_commits(offers, {OLD: 1, NEW: 5}) == {}


def test_who_lies_about_an_age_offers_nothing():
    offers = [
        offer("liar", {A: (OLD, 1000), B: (NEW, 5)}, finder=MOUNT),
        offer("honest", {A: (OLD, 1)}),
        offer("silent", {A: (OLD, None)}),
    ]
    assert names(choose(offers, [A, B], {OLD: 1})) == ["honest", "silent"]
    # Nobody knows better.
    assert names(choose(offers, [A, B], {}))[0] == "liar"
