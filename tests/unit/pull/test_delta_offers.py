# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.delta_index import encode_delta_index
from ostrya.formats.delta_name import DeltaName, index_path
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.summary import Summary
from ostrya.pull.delta_offers import DeltaOffers, has_indexes
from ostrya.pull.places import RemotePlaces
from support.remote_repos import BASE, FolderFetcher

A, B = "a" * 64, "b" * 64
PLACES = RemotePlaces((BASE,), (BASE,))
DELTAS = Variant("a{sv}", VarDict(((A, Variant("ay", b"1" * 32)), (B, Variant("ay", b"2" * 32)))))


@pytest.fixture
def fetcher(tmp_path):
    return FolderFetcher(str(tmp_path))


def offers(fetcher, *metadata, indexed=False):
    return DeltaOffers(fetcher, PLACES, Summary((), VarDict(metadata)), indexed=indexed)


@pytest.mark.parametrize(
    ("config", "promised"),
    [
        (None, False),
        ("[core]\nmode=archive\n", False),
        ("[core]\nindexed-deltas=true\n", True),
        ("[core]\nindexed-deltas=false\n", False),
        ("[core]\nindexed-deltas=perhaps\n", False),
        ("nonsense", False),
    ],
)
def test_configuration(fetcher, tmp_path, config, promised):
    if config is not None:
        (tmp_path / "config").write_text(config)
    assert has_indexes(fetcher, PLACES) is promised


def test_nothing_is_said(fetcher):
    for found in (offers(fetcher), DeltaOffers(fetcher, PLACES, None, indexed=False)):
        assert not found.are_listed
        assert found.to(A) == {}
    assert fetcher.asked == []


def test_by_the_summary(fetcher):
    found = offers(fetcher, ("ostree.static-deltas", DELTAS))
    assert found.are_listed
    assert found.to(A) == {DeltaName(A, None): b"1" * 32}
    assert fetcher.asked == []


@pytest.mark.parametrize("by_summary", [True, False])
def test_by_indexes(fetcher, tmp_path, by_summary):
    flag = ("ostree.summary.indexed-deltas", Variant("b", value=True))
    found = offers(fetcher, *([flag] if by_summary else []), indexed=not by_summary)
    assert found.are_listed
    assert found.to(A) == {}
    path = tmp_path / index_path(A)
    path.parent.mkdir(parents=True)
    path.write_bytes(encode_delta_index({DeltaName(A, B): b"3" * 32}))
    assert found.to(A) == {DeltaName(A, B): b"3" * 32}
    path.write_bytes(b"\xff")
    with pytest.raises(DeltaFormatError, match=f"While fetching {BASE}/delta-indexes/.*Invalid"):
        found.to(A)
