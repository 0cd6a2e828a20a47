# SPDX-License-Identifier: Apache-2.0
r"""The text form of variants: what ``show --raw`` prints and ``--add-metadata`` reads.

::

    b  true                 s  'it' "it's" 'a\tb\u0007'     v   <uint32 5>
    y  0x2a                 o  objectpath '/org/example'    ay  [byte 0x01, 0x02], b'text'
    i  -5                   g  signature 'a{sv}'            as  ['a', 'b'], @as []
    u  uint32 5             d  1.0                          a{sv}  {'key': <'value'>}
    mi nothing, @mi 5       (is)  (5, 'a')  (i)  (5,)       {is}   {5, 'a'}

Types are annotated where a reader could not tell: a keyword before a number that is not an
``int32``, ``@type`` before what is empty. A ``b'…'`` is an ``ay`` that ends in its only NUL.

Source: the GVariant Text Format of GLib's manual; the output is that of ``g_variant_print``.
"""

from __future__ import annotations

from typing import Any

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.text_parser import parse_variant
from ostrya.formats.gvariant.types import Type, parse_type

__all__ = ["format_variant", "parse_variant"]

_KEYWORDS = {
    "y": "byte ", "n": "int16 ", "q": "uint16 ", "i": "", "h": "handle ", "u": "uint32 ",
    "x": "int64 ", "t": "uint64 ", "o": "objectpath ", "g": "signature ",
}  # fmt: skip
_ESCAPES = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
}  # fmt: skip
_BYTE_ESCAPES = {
    8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\",
}  # fmt: skip


def format_variant(variant_type: str, value: Any, *, annotate: bool) -> str:  # noqa: ANN401
    """Write a value as text.

    Args:
        variant_type: Its type.
        value: As ``decode_variant`` gives it.
        annotate: Say the types, so that the text alone can be read back.

    Raises:
        GVariantError: The value does not fit the type.
    """
    out: list[str] = []
    try:
        _print(parse_type(variant_type), value, annotate, out)
    except (TypeError, ValueError, AttributeError) as exc:
        raise GVariantError(f"Value does not fit type '{variant_type}': {exc}") from exc
    return "".join(out)


def _print(kind: Type, value: Any, annotate: int, out: list[str]) -> None:  # noqa: ANN401
    if kind.kind == "a":
        _print_array(kind, value, annotate, out)
    elif kind.kind == "(":
        _print_tuple(kind, value, annotate, out)
    elif kind.kind == "{":
        out.append("{")
        _print(kind.children[0], value[0], annotate, out)
        out.append(", ")
        _print(kind.children[1], value[1], annotate, out)
        out.append("}")
    elif kind.kind == "v":
        # What is inside can be of any type, so it is always said.
        inner_type, inner = value
        out.append("<")
        _print(parse_type(inner_type), inner, 1, out)
        out.append(">")
    elif kind.kind == "m":
        _print_maybe(kind, value, annotate, out)
    else:
        out.append(_basic(kind.kind, value, annotate))


def _print_array(kind: Type, value: Any, annotate: int, out: list[str]) -> None:  # noqa: ANN401
    (element,) = kind.children
    if element.kind == "y" and value and value.find(0) == len(value) - 1:
        out.append(_bytestring(value[:-1]))
        return
    opening, closing = "{}" if element.kind == "{" else "[]"
    if not value:
        out.append(f"@{kind.text} {opening}{closing}" if annotate else opening + closing)
        return
    if element.kind == "y":
        # At once: a piece of text for each byte would take a hundred times the memory.
        digits = value.hex(",").replace(",", ", 0x")
        out.append(f"[byte 0x{digits}]" if annotate else f"[0x{digits}]")
        return
    separator = opening
    for item in value:
        out.append(separator)
        if element.kind == "{":
            _print(element.children[0], item[0], annotate, out)
            out.append(": ")
            _print(element.children[1], item[1], annotate, out)
        else:
            _print(element, item, annotate, out)
        # All elements are of one type: the first has said it.
        annotate = 0
        separator = ", "
    out.append(closing)


def _print_tuple(kind: Type, value: Any, annotate: int, out: list[str]) -> None:  # noqa: ANN401
    if len(value) != len(kind.children):
        raise ValueError(f"not {len(kind.children)} members")
    separator = "("
    for child, item in zip(kind.children, value, strict=True):
        out.append(separator)
        _print(child, item, annotate, out)
        separator = ", "
    out.append({0: "()", 1: ",)"}.get(len(value), ")"))


def _print_maybe(kind: Type, value: Any, annotate: int, out: list[str]) -> None:  # noqa: ANN401
    if annotate:
        out.append(f"@{kind.text} ")
    depth = 0
    while value is not None and kind.children[0].kind == "m":
        (kind,) = kind.children
        (value,) = value
        depth += 1
    if value is None:
        out.append("just " * depth + "nothing")
    else:
        _print(kind.children[0], value, 0, out)


def _basic(kind: str, value: Any, annotate: int) -> str:  # noqa: ANN401
    if kind == "b":
        return "true" if value else "false"
    if kind == "s":
        return _string(value)
    if kind == "d":
        return _double(value)
    keyword = _KEYWORDS[kind] if annotate else ""
    if kind == "y":
        return f"{keyword}0x{value:02x}"
    return f"{keyword}'{value}'" if kind in "og" else f"{keyword}{value:d}"


def _string(text: str) -> str:
    quote = '"' if "'" in text else "'"
    if text.isascii() and text.isprintable() and "\\" not in text and '"' not in text:
        return f"{quote}{text}{quote}"
    return quote + "".join(_character(c, quote) for c in text) + quote


def _character(c: str, quote: str) -> str:
    if c in (quote, "\\"):
        return "\\" + c
    if c.isprintable() or not _is_other(c):
        return c
    if c in _ESCAPES:
        return _ESCAPES[c]
    return f"\\u{ord(c):04x}" if c < "\U00010000" else f"\\U{ord(c):08x}"


def _is_other(c: str) -> bool:
    from unicodedata import category

    # Spaces and private characters print, whatever Python thinks of them.
    return category(c) in ("Cc", "Cf", "Cn", "Cs")


def _double(value: float) -> str:
    from math import copysign, isnan

    text = f"{value:.17g}"
    if isnan(value) and copysign(1, value) < 0:
        return "-nan"
    return text if any(c in text for c in ".en") else f"{text}.0"


def _bytestring(raw: bytes) -> str:
    quote = '"' if b"'" in raw else "'"
    return f"b{quote}{''.join(map(_byte, raw))}{quote}"


def _byte(value: int) -> str:
    escape = _BYTE_ESCAPES.get(value)
    if escape is not None:
        return escape
    return chr(value) if 32 <= value < 127 else f"\\{value:03o}"
