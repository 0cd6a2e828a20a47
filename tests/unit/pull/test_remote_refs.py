# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import FormatError
from ostrya.formats.refs import CollectionRef
from ostrya.formats.summary import Summary, SummaryFacts, SummaryRef, build_summary
from ostrya.pull.errors import RemoteRefusal
from ostrya.pull.options import RefRequest
from ostrya.pull.places import RemotePlaces
from ostrya.pull.remote_refs import (
    Resolved,
    all_refs,
    as_collection_ref,
    resolve,
    split_requests,
)
from support.remote_repos import BASE, FolderFetcher

A, B = "aa" * 32, "bb" * 32
PLACES = RemotePlaces((BASE,), (BASE,))


def summary(own=None) -> Summary:
    facts = SummaryFacts("archive-z2", 1, collection_id=own)
    main = [SummaryRef("main", 1, A)]
    others = {"org.example.Other": [SummaryRef("main", 1, B)]}
    if own is not None:
        others[own] = main
    return build_summary(main, others, facts)


def test_refs_are_told_from_commits():
    requests = [RefRequest("main"), RefRequest(A), RefRequest("x"), RefRequest("main", B)]
    refs, commits = split_requests([*requests, RefRequest(A)])
    assert refs == [RefRequest("main", B), RefRequest("x")]
    assert commits == [A]
    with pytest.raises(FormatError):
        split_requests([RefRequest("../x")])


def test_all_refs_of_a_summary():
    assert all_refs(summary("org.example.Own")) == [
        Resolved("main", "org.example.Own", A),
        Resolved("main", "org.example.Other", B),
    ]
    with pytest.raises(FormatError):
        all_refs(Summary((SummaryRef("../x", 1, A),)))


def test_by_the_summary(tmp_path):
    fetcher = FolderFetcher(str(tmp_path))

    def find(*request, own=None):
        return resolve(RefRequest(*request), summary(own), fetcher, PLACES)

    assert find("main") == Resolved("main", None, A)
    assert find("main", own="org.example.Own") == Resolved("main", "org.example.Own", A)
    assert find("main", None, "org.example.Other") == Resolved("main", "org.example.Other", B)
    assert find("anything", B) == Resolved("anything", None, B)
    with pytest.raises(RemoteRefusal, match="No such branch 'x' in repository summary"):
        find("x")
    with pytest.raises(RemoteRefusal, match=r"No such branch \(org.example.Other, x\)"):
        find("x", None, "org.example.Other")
    assert fetcher.asked == []


def test_by_ref_files(tmp_path):
    for path, text in (("refs/heads/a/b", A), ("refs/mirrors/org.example.X/c", B)):
        file = tmp_path / path
        file.parent.mkdir(parents=True)
        file.write_text(f"{text}\n")
    fetcher = FolderFetcher(str(tmp_path))
    assert resolve(RefRequest("a/b"), None, fetcher, PLACES).commit == A
    owned = RefRequest("c", None, "org.example.X")
    assert resolve(owned, None, fetcher, PLACES) == Resolved("c", "org.example.X", B)
    with pytest.raises(RemoteRefusal, match=r"Fetching checksum for ref \(\(empty\), x\).*404"):
        resolve(RefRequest("x"), None, fetcher, PLACES)


def test_a_ref_with_its_collection():
    assert as_collection_ref(Resolved("r", None, A)) == CollectionRef("", "r")
    assert as_collection_ref(Resolved("r", "org.x.Y", A)) == CollectionRef("org.x.Y", "r")
