# SPDX-License-Identifier: Apache-2.0
"""Variant text, from a tree to its type and value.

::

    [1, uint16 2]                          text
    array ( number, typed "q" ( … ) )      tree
    M a ( M N  and  q )                    patterns, which agree on "q"
    Variant("aq", (1, 2))                  value

A pattern is a type with holes: ``*`` any type, ``N`` any number, ``S`` any string, and ``M``
before what may as well be a maybe of itself.

Source: the GVariant Text Format of GLib's manual; error sentences are those of
``g_variant_parse``, with the place before them.
"""

from __future__ import annotations

from typing import Any

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.text_leaves import (
    is_double,
    read_bytes,
    read_double,
    read_integer,
    read_string,
)
from ostrya.formats.gvariant.text_tokens import text_error
from ostrya.formats.gvariant.text_tree import Node, parse_tree
from ostrya.formats.gvariant.types import Type, is_object_path, is_signature, parse_type
from ostrya.formats.gvariant.vardict import VarDict, Variant

_RANGES = {
    "y": (0, 0xFF),
    "n": (-0x8000, 0x7FFF),
    "q": (0, 0xFFFF),
    "i": (-0x8000_0000, 0x7FFF_FFFF),
    "h": (-0x8000_0000, 0x7FFF_FFFF),
    "u": (0, 0xFFFF_FFFF),
    "x": (-0x8000_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF),
    "t": (0, 0xFFFF_FFFF_FFFF_FFFF),
}

# A letter, then the patterns of what is inside.
Pattern = tuple[Any, ...]

_ANY: Pattern = ("*",)
_LEAF_PATTERNS: dict[str, Pattern] = {
    "string": ("S",), "bytes": ("a", ("y",)), "bool": ("b",), "variant": ("v",),
}  # fmt: skip

_BRACKETS = {"(": ("(", ")"), "{": ("{", "}"), "N": ("i", ""), "S": ("s", ""), "M": ("", "")}


def parse_variant(text: str, type: str | None = None) -> Variant:  # noqa: A002
    """Read a value from text.

    Args:
        text: One value and nothing else.
        type: Its type; else the text must tell.

    Raises:
        GVariantError: Not the text of a value, not of that type, or of no certain type.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise GVariantError(f"{exc.start}:text is not UTF-8") from exc
    node = parse_tree(text)
    reader = _Reader(text)
    if type is None:
        found = reader.resolve(node)
    else:
        found = Variant(type, reader.value(node, parse_type(type)))
    # The codec knows what else must hold, how deep variants nest above all.
    encode_variant(*found)
    return found


class _Reader:
    """One run over one tree."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def resolve(self, node: Node) -> Variant:
        """Give the value of a tree that must tell its type itself."""
        resolved = _resolve(self.pattern(node))
        if resolved is None:
            raise text_error(self.text, "unable to infer type", node.place)
        return Variant(resolved, self.value(node, parse_type(resolved)))

    # Patterns

    def pattern(self, node: Node) -> Pattern:
        if node.kind == "typed":
            return _type_pattern(parse_type(node.note))
        if node.kind == "maybe":
            return ("m", self.pattern(node.content[0]) if node.content else _ANY)
        return ("M", self.strict_pattern(node))

    def strict_pattern(self, node: Node) -> Pattern:
        kind, content = node.kind, node.content
        if kind == "array":
            return ("a", self.common_pattern(content))
        if kind == "tuple":
            return ("(", *map(self.pattern, content))
        if kind == "entry":
            return self.entry_pattern(node, [content])
        if kind == "dict":
            return ("a", self.entry_pattern(node, content))
        if kind == "number":
            return ("d",) if is_double(content) else ("N",)
        return _LEAF_PATTERNS[kind]

    def entry_pattern(self, node: Node, entries: Any) -> Pattern:  # noqa: ANN401
        key = self.common_pattern([entry[0] for entry in entries])
        if key[0] == "M":
            key = key[1]
        if key[0] in "amv({":
            raise text_error(self.text, "dictionary keys must have basic types", node.place)
        return ("{", key, self.common_pattern([entry[1] for entry in entries]))

    def common_pattern(self, nodes: list[Node] | tuple[Node, ...]) -> Pattern:
        patterns = [self.pattern(node) for node in nodes]
        common = _ANY
        for at, pattern in enumerate(patterns):
            merged = _merge(common, pattern)
            if merged is None:
                conflicts = (i for i in range(at) if _merge(patterns[i], pattern) is None)
                places = nodes[next(conflicts, 0)].place, nodes[at].place
                raise text_error(self.text, "unable to find a common type", *places)
            common = merged
        return common

    # Values

    def value(self, node: Node, kind: Type) -> Any:  # noqa: ANN401
        if node.kind == "typed":
            return self.value(node.content, kind)
        if kind.kind == "m":
            return self.maybe(node, kind)
        if node.kind in ("number", "string", "bytes", "bool"):
            return self.leaf(node, kind)
        return self.container(node, kind)

    def maybe(self, node: Node, kind: Type) -> Any:  # noqa: ANN401
        if node.kind == "maybe":
            if not node.content:
                return None
            (node,) = node.content
        (element,) = kind.children
        inner = self.value(node, element)
        return (inner,) if element.kind == "m" else inner

    def container(self, node: Node, kind: Type) -> Any:  # noqa: ANN401
        content = node.content
        match node.kind, kind.kind:
            case "variant", "v":
                return self.resolve(content)
            case "tuple", "(" if len(content) == len(kind.children):
                return tuple(map(self.value, content, kind.children))
            case "entry", "{":
                return tuple(map(self.value, content, kind.children))
            case "array", "a":
                return _array([self.value(child, kind.children[0]) for child in content], kind)
            case "dict", "a" if kind.text[1] == "{":
                members = kind.children[0].children
                return _array([tuple(map(self.value, pair, members)) for pair in content], kind)
        raise self.mismatch(node, kind)

    def leaf(self, node: Node, kind: Type) -> Any:  # noqa: ANN401
        if node.kind == "number" and kind.kind == "d":
            return read_double(self.text, node.content, node.place.start)
        if node.kind == "number" and kind.kind in _RANGES:
            return self.integer(node, kind.kind)
        if node.kind == "string" and kind.kind in "sog":
            return self.string(node, kind.kind)
        if node.kind == "bytes" and kind.text == "ay":
            return read_bytes(self.text, node.content, node.place.start)
        if node.kind == "bool" and kind.kind == "b":
            return node.content == "true"
        raise self.mismatch(node, kind)

    def integer(self, node: Node, kind: str) -> int:
        value = read_integer(self.text, node.content, node.place.start)
        low, high = _RANGES[kind]
        if not low <= value <= high:
            raise text_error(self.text, f"number out of range for type '{kind}'", node.place)
        return value

    def string(self, node: Node, kind: str) -> str:
        value = read_string(self.text, node.content, node.place.start)
        if kind == "o" and not is_object_path(value):
            raise text_error(self.text, "not a valid object path", node.place)
        if kind == "g" and not is_signature(value):
            raise text_error(self.text, "not a valid signature", node.place)
        return value

    def mismatch(self, node: Node, kind: Type) -> GVariantError:
        message = f"can not parse as value of type '{kind.text}'"
        return text_error(self.text, message, node.place)


def _array(items: list[Any], kind: Type) -> Any:  # noqa: ANN401
    if kind.text == "ay":
        return bytes(items)
    return VarDict(items) if kind.text == "a{sv}" else tuple(items)


def _type_pattern(kind: Type) -> Pattern:
    return (kind.kind, *map(_type_pattern, kind.children))


def _merge(one: Pattern, other: Pattern) -> Pattern | None:
    """Find the pattern that both can be; None if there is none."""
    if other in (one, _ANY):
        return one
    if one == _ANY:
        return other
    if "M" in (one[0], other[0]) and one[0] != other[0]:
        return _merge_loose(one, other) if one[0] == "M" else _merge_loose(other, one)
    for hole, kinds in (("N", "ynqiuxthd"), ("S", "sog")):
        if hole in (one[0], other[0]):
            known = other if one[0] == hole else one
            return known if known[0] in kinds else None
    if one[0] != other[0] or len(one) != len(other):
        return None
    return _merge_parts(one[0], one[1:], other[1:])


def _merge_loose(loose: Pattern, strict: Pattern) -> Pattern | None:
    """Merge where one side may be a maybe of itself, and the other says whether it is."""
    if strict[0] == "m":
        return _merge_parts("m", (loose,), strict[1:])
    return _merge(loose[1], strict)


def _merge_parts(letter: str, ones: Pattern, others: Pattern) -> Pattern | None:
    parts = [_merge(one, other) for one, other in zip(ones, others, strict=True)]
    return None if None in parts else (letter, *parts)


def _resolve(pattern: Pattern) -> str | None:
    """Fill the holes: numbers are ``i``, strings ``s``; None if any type would do."""
    letter = pattern[0]
    if letter == "*":
        return None
    inner = ""
    for part in map(_resolve, pattern[1:]):
        if part is None:
            return None
        inner += part
    opening, closing = _BRACKETS.get(letter, (letter, ""))
    return f"{opening}{inner}{closing}"
