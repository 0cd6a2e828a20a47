# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.repo.bindings import check_bindings
from ostrya.repo.errors import BindingMismatch

SUM = "ab" * 32


def bound(refs=None, collection_id=None) -> VarDict:
    values = {}
    if collection_id is not None:
        values["ostree.collection-binding"] = Variant("s", collection_id)
    if refs is not None:
        values["ostree.ref-binding"] = Variant("as", tuple(refs))
    return VarDict.of(values)


@pytest.mark.parametrize(
    ("metadata", "collection_id", "ref"),
    [
        (bound(), None, "main"),
        (bound(["main", "x"]), None, "main"),
        (bound(["x"]), None, None),
        (bound(["main"], "org.example.X"), "org.example.X", "main"),
        (bound(["main"], "org.example.X"), None, "main"),
    ],
)
def test_what_fits(metadata, collection_id, ref):
    check_bindings(metadata, SUM, collection_id, ref)


@pytest.mark.parametrize(
    ("metadata", "collection_id", "ref", "words"),
    [
        (bound(None, "org.example.X"), "org.example.X", None, "ref binding information"),
        (
            bound(["x", "y"]),
            None,
            "main",
            r"no requested ref ‘main’ in ref binding metadata \(‘x’, ‘y’\)",
        ),
        (bound([]), None, "main", r"\(no refs\)"),
        (bound(), "org.example.X", "main", "ref binding information, found none"),
        (bound(["main"]), "org.example.X", "main", "collection ID binding information, found none"),
        (
            bound(["main"], "org.example.Y"),
            "org.example.X",
            "main",
            "has collection ID ‘org.example.Y’",
        ),
    ],
)
def test_what_does_not(metadata, collection_id, ref, words):
    with pytest.raises(BindingMismatch, match=words) as caught:
        check_bindings(metadata, SUM, collection_id, ref)
    assert SUM in str(caught.value)
