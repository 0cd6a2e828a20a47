# SPDX-License-Identifier: Apache-2.0
"""Values as text: what GLib 2.74 prints for the same values."""

from __future__ import annotations

import tracemalloc

import pytest

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.text import format_variant, parse_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant

# Type, value, annotated, plain.
PRINTED = [
    ("b", True, "true", "true"),
    ("y", 42, "byte 0x2a", "0x2a"),
    ("n", -5, "int16 -5", "-5"),
    ("q", 5, "uint16 5", "5"),
    ("i", -5, "-5", "-5"),
    ("u", 5, "uint32 5", "5"),
    ("h", 5, "handle 5", "5"),
    ("x", -5, "int64 -5", "-5"),
    ("t", 5, "uint64 5", "5"),
    ("d", 1.0, "1.0", "1.0"),
    ("d", 0.1, "0.10000000000000001", "0.10000000000000001"),
    ("d", 1e300, "1.0000000000000001e+300", "1.0000000000000001e+300"),
    ("d", float("inf"), "inf", "inf"),
    ("d", float("-nan"), "-nan", "-nan"),
    ("s", "it", "'it'", "'it'"),
    ("s", "it's", '"it\'s"', '"it\'s"'),
    ("s", 'a"b', "'a\"b'", "'a\"b'"),
    ("s", "'\"", '"\'\\""', '"\'\\""'),
    ("s", "a\\b", "'a\\\\b'", "'a\\\\b'"),
    ("s", "\a\b\f\n\r\t\v", "'\\a\\b\\f\\n\\r\\t\\v'", "'\\a\\b\\f\\n\\r\\t\\v'"),
    ("s", "\x01\x7f\u200b\U000e0001", "'\\u0001\\u007f\\u200b\\U000e0001'", "'\\u0001\\u007f\\u200b\\U000e0001'"),
    ("s", "é→😀\u00a0\ue000", "'é→😀\u00a0\ue000'", "'é→😀\u00a0\ue000'"),
    ("o", "/a", "objectpath '/a'", "'/a'"),
    ("g", "a{sv}", "signature 'a{sv}'", "'a{sv}'"),
    ("ay", b"", "@ay []", "[]"),
    ("ay", b"\1\2", "[byte 0x01, 0x02]", "[0x01, 0x02]"),
    ("ay", b"ab\0", "b'ab'", "b'ab'"),
    ("ay", b"\0", "b''", "b''"),
    ("ay", b"a\0b\0", "[byte 0x61, 0x00, 0x62, 0x00]", "[0x61, 0x00, 0x62, 0x00]"),
    ("ay", b"it's\0", 'b"it\'s"', 'b"it\'s"'),
    ("ay", b"\x07\n\"\\\xff\x7f\0", "b'\\007\\n\\\"\\\\\\377\\177'", "b'\\007\\n\\\"\\\\\\377\\177'"),
    ("as", (), "@as []", "[]"),
    ("as", ("a", "b"), "['a', 'b']", "['a', 'b']"),
    ("au", (1, 2), "[uint32 1, 2]", "[1, 2]"),
    ("aau", ((), (1,)), "[@au [], [1]]", "[[], [1]]"),
    ("()", (), "()", "()"),
    ("(u)", (5,), "(uint32 5,)", "(5,)"),
    ("(us)", (5, "a"), "(uint32 5, 'a')", "(5, 'a')"),
    ("{us}", (5, "a"), "{uint32 5, 'a'}", "{5, 'a'}"),
    ("a{us}", ((5, "a"), (6, "b")), "{uint32 5: 'a', 6: 'b'}", "{5: 'a', 6: 'b'}"),
    ("a{sv}", VarDict(), "@a{sv} {}", "{}"),
    ("a{sv}", VarDict.of({"k": Variant("u", 1)}), "{'k': <uint32 1>}", "{'k': <uint32 1>}"),
    ("v", Variant("v", Variant("ay", b"")), "<<@ay []>>", "<<@ay []>>"),
    ("mi", None, "@mi nothing", "nothing"),
    ("mi", 5, "@mi 5", "5"),
    ("mmi", (5,), "@mmi 5", "5"),
    ("mmi", (None,), "@mmi just nothing", "just nothing"),
    ("mmi", None, "@mmi nothing", "nothing"),
    ("mmmi", ((None,),), "@mmmi just just nothing", "just just nothing"),
    ("ami", (5, None), "[@mi 5, nothing]", "[5, nothing]"),
]  # fmt: skip


@pytest.mark.parametrize(("type_string", "value", "annotated", "plain"), PRINTED)
def test_printed(type_string, value, annotated, plain):
    assert format_variant(type_string, value, annotate=True) == annotated
    assert format_variant(type_string, value, annotate=False) == plain


def test_bytes_take_little_more_memory_than_their_text():
    tracemalloc.start()
    try:
        text = format_variant("ay", bytes(range(256)) * 4096, annotate=True)
        assert text.startswith("[byte 0x00, 0x01, ")
        assert tracemalloc.get_traced_memory()[1] < 4 * len(text)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("type_string", "value", "annotated"), [row[:3] for row in PRINTED if row[2] != "-nan"]
)
def test_what_is_annotated_reads_back(type_string, value, annotated):
    assert parse_variant(annotated) == Variant(type_string, value)


@pytest.mark.parametrize(
    ("type_string", "value", "plain"),
    [(row[0], row[1], row[3]) for row in PRINTED if row[2] != "-nan"],
)
def test_what_is_plain_reads_back_as_its_type(type_string, value, plain):
    assert parse_variant(plain, type_string) == Variant(type_string, value)


@pytest.mark.parametrize(
    ("type_string", "value"),
    [("u", "x"), ("s", 5), ("(us)", (1,)), ("as", 5), ("v", "x"), ("y", None), ("z", 1), ("ay", 5)],
)
def test_what_does_not_fit(type_string, value):
    with pytest.raises(GVariantError):
        format_variant(type_string, value, annotate=True)
