# SPDX-License-Identifier: Apache-2.0
"""Type strings: what is one, and what follows from it."""

from __future__ import annotations

import pytest

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.types import (
    MAX_DEPTH,
    framed_offset_size,
    is_object_path,
    is_signature,
    offset_size,
    parse_type,
)


@pytest.mark.parametrize(
    ("text", "alignment", "fixed_size", "depth"),
    [
        ("y", 1, 1, 0),
        ("b", 1, 1, 0),
        ("q", 2, 2, 0),
        ("u", 4, 4, 0),
        ("h", 4, 4, 0),
        ("t", 8, 8, 0),
        ("d", 8, 8, 0),
        ("s", 1, 0, 0),
        ("v", 8, 0, 1),
        ("ay", 1, 0, 1),
        ("at", 8, 0, 1),
        ("mi", 4, 0, 1),
        ("()", 1, 1, 1),
        ("(y)", 1, 1, 1),
        ("(yu)", 4, 8, 1),
        ("(uy)", 4, 8, 1),
        ("(yty)", 8, 24, 1),
        ("((yu)y)", 4, 12, 2),
        ("{sv}", 8, 0, 2),
        ("{yy}", 1, 2, 1),
        ("(us)", 4, 0, 1),
        ("a{sv}", 8, 0, 3),
        ("(a(say)a(sayay))", 1, 0, 4),
        ("(a{sv}aya(say)sstayay)", 8, 0, 4),
    ],
)
def test_types(text, alignment, fixed_size, depth):
    parsed = parse_type(text)
    assert parsed.text == text
    assert (parsed.alignment, parsed.fixed_size, parsed.depth) == (alignment, fixed_size, depth)


@pytest.mark.parametrize(
    ("text", "offsets"),
    [("()", 0), ("(us)", 0), ("(su)", 1), ("(sss)", 2), ("(sus)", 1), ("{sv}", 1)],
)
def test_members_that_need_an_offset(text, offsets):
    assert parse_type(text).offsets == offsets


@pytest.mark.parametrize(
    "text",
    ["", "a", "m", "(", "(s", ")", "{", "{}", "{s}", "{vs}", "{sss}", "{sv", "a{(s)v}", "ss", "(s))",
     "r", "*", "?", "a*", "z", "é", "s ", " s", "\0"],
)  # fmt: skip
def test_no_types(text):
    with pytest.raises(GVariantError):
        parse_type(text)


def test_depth_has_a_limit():
    assert parse_type("a" * MAX_DEPTH + "s").depth == MAX_DEPTH
    assert parse_type("a" * (MAX_DEPTH - 1) + "v").depth == MAX_DEPTH
    for text in ("a" * (MAX_DEPTH + 1) + "s", "a" * MAX_DEPTH + "v", "(" * 5000, "a" * 100_000):
        with pytest.raises(GVariantError, match="too deep"):
            parse_type(text)


def test_many_types_are_forgotten():
    """Types come out of hostile bytes: what is remembered of them is bounded."""
    from ostrya.formats.gvariant import types

    for n in range(3000):
        parse_type("(" + "".join("yu"[n >> bit & 1] for bit in range(12)) + ")")
    assert len(types._cache) <= 600
    assert parse_type("y").fixed_size == 1


@pytest.mark.parametrize(
    ("size", "width"),
    [(0, 1), (255, 1), (256, 2), (65535, 2), (65536, 4), (2**32 - 1, 4), (2**32, 8)],
)
def test_offset_sizes(size, width):
    assert offset_size(size) == width


@pytest.mark.parametrize(
    ("body", "count", "width"),
    [
        (0, 0, 1),
        (254, 1, 1),
        (255, 1, 2),
        (155, 100, 1),
        (156, 100, 2),
        (65533, 1, 2),
        (65534, 1, 4),
        (2**32 - 5, 1, 4),
        (2**32 - 4, 1, 8),
    ],
)
def test_offsets_count_into_the_size(body, count, width):
    assert framed_offset_size(body, count) == width
    assert offset_size(body + count * width) == width or count == 0


@pytest.mark.parametrize("text", ["", "s", "a{sv}(ii)", "{sv}", "()", "ybnqiuxthdsogv"])
def test_signatures(text):
    assert is_signature(text)


@pytest.mark.parametrize("text", ["m", "mi", "amv", "(", "a", "s s", "r", "*", "{vs}", "\0"])
def test_no_signatures(text):
    assert not is_signature(text)


@pytest.mark.parametrize("text", ["/", "/a", "/a/b_c", "/_1/A"])
def test_object_paths(text):
    assert is_object_path(text)


@pytest.mark.parametrize("text", ["", "a", "//", "/a/", "/a//b", "/a-b", "/é", "/a.b", "/a\n"])
def test_no_object_paths(text):
    assert not is_object_path(text)
