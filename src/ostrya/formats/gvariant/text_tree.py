# SPDX-License-Identifier: Apache-2.0
"""Variant text, from tokens to a tree of nodes.

::

    [1, uint16 2]   ->   array ( number 1, typed "q" ( number 2 ) )

    node      content
    array     nodes                     [a, b]
    tuple     nodes                     (a,)  (a, b)
    dict      pairs of nodes            {a: b}
    entry     two nodes                 {a, b}
    variant   a node                    <a>
    maybe     a node or none            just a   nothing
    typed     a node, and the type      uint16 a   @type a
    number string bytes bool            the token

Source: the GVariant Text Format of GLib's manual.
"""

from __future__ import annotations

from typing import Any

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.text_tokens import Place, TokenStream, text_error
from ostrya.formats.gvariant.types import MAX_DEPTH, parse_type

_KEYWORDS = {
    "boolean": "b", "byte": "y", "int16": "n", "uint16": "q", "int32": "i", "handle": "h",
    "uint32": "u", "int64": "x", "uint64": "t", "double": "d", "string": "s",
    "objectpath": "o", "signature": "g",
}  # fmt: skip
_LEAF_WORDS = {"true": "bool", "false": "bool", "inf": "number", "nan": "number"}


class Node:
    """A part of the tree.

    Attributes:
        kind: What it is, see above.
        content: Its nodes, or its token.
        note: The type, if the kind is ``typed``.
        place: Where it stands in the text.
    """

    __slots__ = ("content", "kind", "note", "place")

    def __init__(self, kind: str, content: Any, place: Place, note: str = "") -> None:  # noqa: ANN401
        self.kind = kind
        self.content = content
        self.place = place
        self.note = note


def parse_tree(text: str) -> Node:
    """Read one value and nothing else.

    Raises:
        GVariantError: Not the text of a value.
    """
    parser = _Parser(text)
    node = parser.value(0)
    if parser.stream.token:
        raise parser.stream.error_here("expected end of input")
    return node


class _Parser:
    """One run over one text; each method takes what its node consists of."""

    __slots__ = ("stream",)

    def __init__(self, text: str) -> None:
        self.stream = TokenStream(text)

    def value(self, depth: int) -> Node:
        stream = self.stream
        token, place = stream.token, stream.place
        if depth > MAX_DEPTH:
            raise text_error(stream.text, "variant nested too deeply", place)
        first = token[:1]
        if first in ("[", "(", "{", "<"):
            return self.container(depth)
        if first == "@":
            stream.advance()
            return self.typed(self.declared_type(token[1:], place), place, depth)
        if first.islower() and first.isascii() and token[1:2].isalpha():
            return self.word(depth)
        return self.leaf(_leaf_kind(token))

    def leaf(self, kind: str | None) -> Node:
        if kind is None:
            raise self.stream.error_here("expected value")
        place = self.stream.place
        return Node(kind, self.stream.advance(), place)

    def word(self, depth: int) -> Node:
        stream = self.stream
        word, place = stream.token, stream.place
        if word in _LEAF_WORDS:
            return self.leaf(_LEAF_WORDS[word])
        if word in ("just", "nothing"):
            stream.advance()
            children = (self.value(depth + 1),) if word == "just" else ()
            return Node("maybe", children, self.since(place))
        keyword = _KEYWORDS.get(word)
        if keyword is None:
            raise text_error(stream.text, "unknown keyword", place)
        stream.advance()
        return self.typed(keyword, place, depth)

    def typed(self, type_string: str, place: Place, depth: int) -> Node:
        child = self.value(depth + 1)
        return Node("typed", child, self.since(place), type_string)

    def declared_type(self, type_string: str, place: Place) -> str:
        definite = type_string
        for hole in "*?r":
            definite = definite.replace(hole, "s")
        message = "type declarations must be definite"
        try:
            parse_type(definite)
        except GVariantError:
            message = "invalid type declaration"
            definite = ""
        if definite != type_string or not definite:
            raise text_error(self.stream.text, message, place)
        return type_string

    def container(self, depth: int) -> Node:
        place = self.stream.place
        opening = self.stream.advance()
        if opening == "<":
            child = self.value(depth + 1)
            self.stream.require(">", " to follow variant value")
            return Node("variant", child, self.since(place))
        if opening == "(":
            return self.members(place, depth)
        if opening == "{":
            return self.entries(place, depth)
        children: list[Node] = []
        while not self.stream.consume("]"):
            if children:
                self.stream.require(",", " or ']' to follow array element")
            children.append(self.value(depth + 1))
        return Node("array", tuple(children), self.since(place))

    def members(self, place: Place, depth: int) -> Node:
        children: list[Node] = []
        while not self.stream.consume(")"):
            if len(children) > 1:
                self.stream.require(",", " or ')' to follow tuple element")
            children.append(self.value(depth + 1))
            if len(children) == 1:
                self.stream.require(",", " after first tuple element")
        return Node("tuple", tuple(children), self.since(place))

    def entries(self, place: Place, depth: int) -> Node:
        stream = self.stream
        entries: list[tuple[Node, Node]] = []
        while not stream.consume("}"):
            if entries:
                stream.require(",", " or '}' to follow dictionary entry")
            key = self.value(depth + 1)
            if not entries and stream.consume(","):
                value = self.value(depth + 1)
                stream.require("}", " at end of dictionary entry")
                return Node("entry", (key, value), self.since(place))
            comma = "" if entries else " or ','"
            stream.require(":", f"{comma} to follow dictionary entry key")
            entries.append((key, self.value(depth + 1)))
        return Node("dict", tuple(entries), self.since(place))

    def since(self, place: Place) -> Place:
        return Place(place.start, self.stream.taken)


def _leaf_kind(token: str) -> str | None:
    first = token[:1]
    if first in ("'", '"'):
        return "string"
    if token[:2] in ("b'", 'b"'):
        return "bytes"
    if first in ("-", "+", ".") or (first.isascii() and first.isdigit()):
        return "number"
    return None
