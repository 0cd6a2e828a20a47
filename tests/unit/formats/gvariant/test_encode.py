# SPDX-License-Identifier: Apache-2.0
"""Values to bytes: the borders of offset sizes, and values that do not fit their type."""

from __future__ import annotations

import pytest

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.encode import encode_variant, pack_offsets
from ostrya.formats.gvariant.vardict import VarDict, Variant


@pytest.mark.parametrize(
    ("type_string", "value", "encoded"),
    [
        ("v", Variant("(yv)", (1, Variant("s", "a"))), "01000000000000006100007300287976 29".replace(" ", "")),
        ("(ysy)", (1, "a", 2), "016100020 3".replace(" ", "")),
        ("a(ys)", ((1, "a"), (2, "")), "0161000200 0305".replace(" ", "")),
        ("a{sv}", VarDict.of({"k": Variant("y", 7)}), "6b000000000000000700790 20c".replace(" ", "")),
        ("ay", bytearray(b"ab"), "6162"),
        ("ay", memoryview(b"ab"), "6162"),
        ("as", ["a", "b"], "610062000204"),
        ("as", iter(["a"]), "610002"),
    ],
)  # fmt: skip
def test_known(type_string, value, encoded):
    assert encode_variant(type_string, value).hex() == encoded


@pytest.mark.parametrize(
    ("ends", "body", "packed"),
    [
        ([], 0, ""),
        ([5], 5, "05"),
        ([254], 254, "fe"),
        ([255], 255, "ff00"),
        ([1, 65531], 65531, "0100fbff"),
        ([1, 65532], 65532, "01000000fcff0000"),
        ([2**32], 2**32, "0000000001000000"),
    ],
)
def test_offsets(ends, body, packed):
    assert pack_offsets(ends, body).hex() == packed


@pytest.mark.parametrize(
    ("type_string", "value"),
    [
        ("y", 256),
        ("y", -1),
        ("y", 1.5),
        ("y", "1"),
        ("n", 32768),
        ("u", -1),
        ("t", 2**64),
        ("x", 2**63),
        ("b", 1),
        ("b", None),
        ("d", "x"),
        ("s", b"x"),
        ("s", "a\0"),
        ("s", "\ud800"),
        ("s", None),
        ("o", "x"),
        ("g", "m"),
        ("ay", "text"),
        ("ay", [1, 2]),
        ("as", "text"),
        ("as", b"bytes"),
        ("as", 5),
        ("as", ["a", 5]),
        ("(s)", "a"),
        ("(su)", ("a",)),
        ("(su)", ("a", 1, 2)),
        ("(su)", 5),
        ("{su}", ("a",)),
        ("a{sv}", {"k": 1}),
        ("a{sv}", VarDict((("k", "bare"),))),
        ("v", "bare"),
        ("v", Variant("z", 1)),
        ("v", Variant("u", "1")),
        ("v", Variant(5, 1)),
        ("mmi", 5),
        ("mi", "x"),
        ("d", 10**400),
    ],
)
def test_what_does_not_fit(type_string, value):
    with pytest.raises(GVariantError):
        encode_variant(type_string, value)


def test_depth_has_a_limit():
    value = Variant("y", 1)
    for _ in range(63):
        value = Variant("v", value)
    assert encode_variant("v", value).startswith(b"\x01\0y\0v")
    with pytest.raises(GVariantError, match="too deep"):
        encode_variant("v", Variant("v", value))
    with pytest.raises(GVariantError, match="too deep"):
        encode_variant("v", Variant("a" * 64 + "y", ()))


def test_a_value_that_contains_itself():
    loop: list = []
    loop.append(loop)
    with pytest.raises(GVariantError):
        encode_variant("aaaay", loop)
