# SPDX-License-Identifier: Apache-2.0
"""Summaries: read, written, and put together as libostree does."""

from __future__ import annotations

import pytest

from ostrya.errors import FormatError
from ostrya.formats.commit import Commit
from ostrya.formats.errors import SummaryFormatError
from ostrya.formats.gvariant.byteorder import swap_u64
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.summary import (
    COLLECTION_MAP_TYPE,
    SUMMARY_TYPE,
    Summary,
    SummaryFacts,
    SummaryRef,
    build_summary,
    summary_ref,
)

A, B = "a" * 64, "b" * 64


@pytest.fixture(scope="module")
def summary(vectors):
    return Summary.decode((vectors / "summary").read_bytes())


def commit(timestamp: int, version: Variant | None = None) -> Commit:
    metadata = VarDict.of({"version": version} if version else {})
    return Commit(metadata, None, (), "", "", timestamp, A, B)


def test_vector(summary, vectors, objects):
    assert summary.encode() == (vectors / "summary").read_bytes()
    assert [ref.name for ref in summary.refs] == ["full", "nothing", "ostree-metadata"]
    assert summary.collection_id == "org.example.Vectors"
    assert summary.metadata.lookup("example.key", "s") == "value"
    assert summary.last_modified > 1_700_000_000
    assert summary.expires is None
    assert summary.collection_map() == {}
    full = summary.find("full")
    assert full == summary.find("full", "org.example.Vectors")
    assert summary.find("full", "org.example.Other") is None
    assert summary.find("nope") is None
    data = objects("commit")[full.checksum]
    assert full == summary_ref("full", full.checksum, len(data), Commit.decode(data))
    assert full.timestamp == 2_000_000_000


def test_the_vector_again_from_its_parts(summary):
    """The bytes of libostree, key order included."""
    facts = SummaryFacts(
        mode="archive-z2",
        last_modified=summary.last_modified,
        tombstone_commits=True,
        collection_id="org.example.Vectors",
        additional=VarDict.of({"example.key": Variant("s", "value")}),
    )
    assert build_summary([], {"org.example.Vectors": reversed(summary.refs)}, facts) == summary


@pytest.mark.parametrize(
    ("timestamp", "shown"),
    [
        (0, 0),
        (1_234_567_890, 1_234_567_890),
        (253_402_300_799, 253_402_300_799),
        (253_402_300_800, None),
        (-(2**63), None),
        (-1, -1),
        (-62_135_596_800, -62_135_596_800),
        (-62_135_596_801, None),
    ],
)
def test_times_that_a_calendar_can_say(timestamp, shown):
    ref = summary_ref("r", A, 1, commit(timestamp))
    assert ref.timestamp == shown
    assert ("ostree.commit.timestamp" in ref.metadata) == (shown is not None)


def test_version():
    ref = summary_ref("r", A, 1, commit(5, Variant("s", "1.2")))
    # The order of slots in a GVariantDict.
    assert ref.metadata == VarDict(
        (
            ("ostree.commit.version", Variant("s", "1.2")),
            ("ostree.commit.timestamp", Variant("t", swap_u64(5))),
        )
    )
    assert summary_ref("r", A, 1, commit(5, Variant("u", 3))).metadata.keys() == (
        "ostree.commit.timestamp",
    )


def test_a_repository_without_collections():
    refs = [SummaryRef("b", 2, B), SummaryRef("a", 1, A)]
    built = build_summary(refs, {}, SummaryFacts("bare", 7))
    assert [ref.name for ref in built.refs] == ["a", "b"]
    assert built.last_modified == 7
    assert built.metadata.lookup("ostree.summary.mode", "s") == "bare"
    assert built.metadata.lookup("ostree.summary.tombstone-commits", "b") is False
    assert built.metadata.lookup("ostree.summary.indexed-deltas", "b") is True
    assert built.collection_id is None
    assert built.collection_map() == {}
    assert Summary.decode(built.encode()) == built


def test_other_collections():
    collections = {
        "org.example.B": [SummaryRef("z", 1, A), SummaryRef("y", 1, B)],
        "org.example.A": [SummaryRef("x", 1, A)],
        "org.example.Own": [SummaryRef("own", 1, A)],
        "org.example.Empty": [],
    }
    built = build_summary(
        [SummaryRef("plain", 1, B)],
        collections,
        SummaryFacts("bare", 7, collection_id="org.example.Own"),
    )
    built = Summary.decode(built.encode())
    assert [ref.name for ref in built.refs] == ["own"]
    found = built.collection_map()
    assert list(found) == ["org.example.A", "org.example.B"]
    assert [ref.name for ref in found["org.example.B"]] == ["y", "z"]
    assert built.find("x", "org.example.A") == SummaryRef("x", 1, A)
    assert built.find("x") is None


def test_deltas_and_keys_of_the_caller():
    facts = SummaryFacts(
        "bare",
        7,
        static_deltas=VarDict.of({"from-to": Variant("ay", bytes(32))}),
        additional=VarDict.of(
            {
                "ostree.summary.mode": Variant("s", "mine"),
                "ostree.summary.expires": Variant("t", swap_u64(9)),
            }
        ),
    )
    built = build_summary([], {}, facts)
    assert built.metadata.lookup("ostree.static-deltas", "a{sv}").keys() == ("from-to",)
    assert built.metadata.lookup("ostree.summary.mode", "s") == "bare"
    assert built.expires == 9
    no_deltas = build_summary([], {}, facts._replace(static_deltas=VarDict()))
    assert "ostree.static-deltas" not in no_deltas.metadata


def test_checksums_of_another_size():
    data = encode_variant(SUMMARY_TYPE, ((("r", (1, b"x", VarDict())),), VarDict()))
    with pytest.raises(SummaryFormatError) as caught:
        Summary.decode(data)
    assert (
        caught.value.message == "summary entry of ref r: Invalid checksum of length 1 expected 32"
    )
    entry = Variant(COLLECTION_MAP_TYPE, (("org.example.A", (("r", (1, b"", VarDict())),)),))
    summary = Summary((), VarDict.of({"ostree.summary.collection-map": entry}))
    assert Summary.decode(summary.encode()) == summary
    with pytest.raises(SummaryFormatError):
        summary.collection_map()


def test_garbage():
    for data in (b"", b"\0", b"<html>", bytes(300)):
        if data == b"\0":
            assert Summary.decode(data) == Summary()
            continue
        with pytest.raises(FormatError):
            Summary.decode(data)
