# SPDX-License-Identifier: Apache-2.0
"""Variant text as a tree, and the sentences for what is none (GLib 2.74's)."""

from __future__ import annotations

import pytest

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.text_tree import Node, parse_tree


def shape(node: Node):
    """The tree in short."""
    content = node.content
    if isinstance(content, str):
        return (node.kind, content)
    if isinstance(content, Node):
        return (node.kind, *([node.note] if node.note else []), shape(content))
    flat = [c for part in content for c in (part if isinstance(part, tuple) else (part,))]
    return (node.kind, *map(shape, flat))


ONE = ("number", "1")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1", ONE),
        ("inf", ("number", "inf")),
        ("true", ("bool", "true")),
        ("'x'", ("string", "'x'")),
        ("b'x'", ("bytes", "b'x'")),
        ("[]", ("array",)),
        ("[1, 1]", ("array", ONE, ONE)),
        ("()", ("tuple",)),
        ("(1,)", ("tuple", ONE)),
        ("(1, 1)", ("tuple", ONE, ONE)),
        ("{}", ("dict",)),
        ("{1: 1, 1: 1}", ("dict", ONE, ONE, ONE, ONE)),
        ("{1, 1}", ("entry", ONE, ONE)),
        ("<1>", ("variant", ONE)),
        ("just 1", ("maybe", ONE)),
        ("nothing", ("maybe",)),
        ("uint16 1", ("typed", "q", ONE)),
        ("@ai [1]", ("typed", "ai", ("array", ONE))),
        ("objectpath '/'", ("typed", "o", ("string", "'/'"))),
    ],
)
def test_trees(text, tree):
    assert shape(parse_tree(f" {text}\n")) == tree


def test_places_span_the_whole_node():
    node = parse_tree("  [ 1 , <2> ]  ")
    assert node.place == (2, 13)
    assert node.content[1].place == (8, 11)
    assert parse_tree("just  1 ").place == (0, 7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0:expected value"),
        ("  ", "2:expected value"),
        ("foo bar", "0-3:unknown keyword"),
        ("true1", "0-5:unknown keyword"),
        ("True", "0:expected value"),
        ("é", "0:expected value"),
        ("%i", "0:expected value"),
        ("1 2", "2:expected end of input"),
        ("'é' x", "5:expected end of input"),
        ("5\0", "1:expected end of input"),
        ("[", "1:expected value"),
        ("[1", "2:expected ',' or ']' to follow array element"),
        ("[1,]", "3:expected value"),
        ("(1)", "2:expected ',' after first tuple element"),
        ("(1,2 3)", "5:expected ',' or ')' to follow tuple element"),
        ("(1,2,)", "5:expected value"),
        ("<1 2>", "3:expected '>' to follow variant value"),
        ("{1", "2:expected ':' or ',' to follow dictionary entry key"),
        ("{1:2", "4:expected ',' or '}' to follow dictionary entry"),
        ("{1:2,3", "6:expected ':' to follow dictionary entry key"),
        ("{1,2,3}", "4:expected '}' at end of dictionary entry"),
        ("@ 5", "0-1:invalid type declaration"),
        ("@zz 5", "0-3:invalid type declaration"),
        ("@a* []", "0-3:type declarations must be definite"),
        ("@q", "2:expected value"),
        ("just", "4:expected value"),
    ],
)
def test_what_is_none(text, message):
    with pytest.raises(GVariantError) as caught:
        parse_tree(text)
    assert caught.value.message == message


@pytest.mark.parametrize("opening", ["[", "(", "<", "{", "just ", "@i ", "int32 "])
def test_depth_has_a_limit(opening):
    with pytest.raises(GVariantError, match="nested too deeply"):
        parse_tree(opening * 50_000)
