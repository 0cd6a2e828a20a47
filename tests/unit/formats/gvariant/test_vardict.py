# SPDX-License-Identifier: Apache-2.0
"""Dictionaries of variants, and the order of GLib's."""

from __future__ import annotations

import pytest

from ostrya.formats.gvariant.vardict import VarDict, Variant, glib_dict_order

ONE, TWO, TEXT = Variant("u", 1), Variant("u", 2), Variant("s", "x")
DOUBLE = VarDict((("k", ONE), ("l", TEXT), ("k", TWO)))


def test_of():
    assert VarDict.of({"k": ONE, "l": TEXT}) == (("k", ONE), ("l", TEXT))
    assert VarDict.of([("k", ONE), ("k", TWO)]) == (("k", ONE), ("k", TWO))
    assert VarDict.of() == VarDict() == ()


def test_get():
    assert DOUBLE.get("k") == ONE
    assert DOUBLE.get("l") == TEXT
    assert DOUBLE.get("m") is None
    assert "k" in DOUBLE
    assert "m" not in DOUBLE
    assert ("k", TWO) in DOUBLE
    assert ("k", TEXT) not in DOUBLE


def test_lookup():
    assert DOUBLE.lookup("k", "u") == 1
    assert DOUBLE.lookup("k", "s") is None
    assert DOUBLE.lookup("m", "u") is None


def test_keys_and_mapping():
    assert DOUBLE.keys() == ("k", "l", "k")
    assert DOUBLE.to_dict() == {"k": ONE, "l": TEXT}
    assert dict(DOUBLE) == {"k": ONE, "l": TEXT}
    assert DOUBLE["l"] == TEXT
    assert DOUBLE[1] == ("l", TEXT)
    assert DOUBLE[1:] == (("l", TEXT), ("k", TWO))
    with pytest.raises(KeyError):
        DOUBLE["m"]


def test_changes_make_new_ones():
    assert DOUBLE.with_item("m", TEXT) == (*DOUBLE, ("m", TEXT))
    assert DOUBLE.with_item("k", TEXT) == (("k", TEXT), ("l", TEXT), ("k", TWO))
    assert DOUBLE.without("k") == (("l", TEXT),)
    assert DOUBLE.without("m") == DOUBLE
    for changed in (DOUBLE.with_item("m", TEXT), DOUBLE.with_item("k", ONE), DOUBLE.without("k")):
        assert type(changed) is VarDict
    assert len(DOUBLE) == 3


# As GLib 2.74's GVariantDict emitted them.
GLIB_ORDERS = [
    ([], []),
    (["version"], ["version"]),
    (
        ["ostree.commit.timestamp", "ostree.commit.version"],
        ["ostree.commit.version", "ostree.commit.timestamp"],
    ),
    (
        [
            "ostree.summary.last-modified", "ostree.summary.mode",
            "ostree.summary.tombstone-commits", "ostree.summary.indexed-deltas",
            "ostree.summary.collection-id", "ostree.summary.collection-map",
        ],
        [
            "ostree.summary.mode", "ostree.summary.last-modified",
            "ostree.summary.tombstone-commits", "ostree.summary.collection-map",
            "ostree.summary.indexed-deltas", "ostree.summary.collection-id",
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "order"), GLIB_ORDERS)
def test_order_of_glib(keys, order):
    assert glib_dict_order(keys) == order


def test_a_key_that_comes_again_counts_once():
    assert glib_dict_order(["a", "b", "a"]) == glib_dict_order(["a", "b"])


def test_every_key_is_there():
    keys = [f"key.{n}" for n in range(1000)]
    assert sorted(glib_dict_order(keys)) == sorted(keys)
