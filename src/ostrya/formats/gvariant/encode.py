# SPDX-License-Identifier: Apache-2.0
"""Python values to the one normal form, integers little-endian.

::

    array       child pad child pad child   end end end
    tuple       child pad child pad child   end end       (backwards, last member has none)
    variant     value NUL type-string
    maybe       nothing: no bytes           value: value, and a NUL if its size is variable
    string      UTF-8 NUL

Source: the GVariant specification.
"""

from __future__ import annotations

from struct import error as struct_error
from struct import pack
from typing import TYPE_CHECKING, Any

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.types import (
    MAX_DEPTH,
    Type,
    framed_offset_size,
    is_object_path,
    is_signature,
    parse_type,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_STRUCT_CODES = {
    "y": "B", "n": "h", "q": "H", "i": "i", "u": "I", "h": "i", "x": "q", "t": "Q", "d": "d",
}  # fmt: skip


def encode_variant(type_string: str, value: Any) -> bytes:  # noqa: ANN401
    """Encode a value of the given type.

    Raises:
        GVariantError: The value does not fit the type.
    """
    parsed = parse_type(type_string)
    try:
        return _encode(parsed, value, 0)
    except (TypeError, ValueError, OverflowError, struct_error) as exc:
        raise GVariantError(f"Value does not fit type '{type_string[:64]}': {exc}") from exc


def pack_offsets(ends: list[int], body: int) -> bytes:
    """Give the offset table of a container whose body has this size."""
    width = framed_offset_size(body, len(ends))
    if width == 1:
        return bytes(ends)
    code = "H" if width == 2 else "I" if width == 4 else "Q"
    return pack(f"<{len(ends)}{code}", *ends)


def _encode(kind: Type, value: Any, depth: int) -> bytes:  # noqa: ANN401
    return _ENCODERS[kind.kind](kind, value, depth)


def _boolean(_kind: Type, value: Any, _depth: int) -> bytes:  # noqa: ANN401
    if value is True:
        return b"\1"
    if value is False:
        return b"\0"
    raise TypeError("not a boolean")


def _number(kind: Type, value: Any, _depth: int) -> bytes:  # noqa: ANN401
    return pack("<" + _STRUCT_CODES[kind.kind], value)


def _string(kind: Type, value: Any, _depth: int) -> bytes:  # noqa: ANN401
    if not isinstance(value, str) or "\0" in value:
        raise TypeError("not a string without NUL")
    if kind.kind == "o" and not is_object_path(value):
        raise ValueError("not an object path")
    if kind.kind == "g" and not is_signature(value):
        raise ValueError("not a signature")
    return value.encode("utf-8") + b"\0"


def _variant(_kind: Type, value: Any, depth: int) -> bytes:  # noqa: ANN401
    type_string, inner = value
    parsed = parse_type(type_string)
    if depth + 1 + parsed.depth > MAX_DEPTH:
        raise ValueError("nested too deep")
    return _encode(parsed, inner, depth + 1) + b"\0" + parsed.text.encode("ascii")


def _maybe(kind: Type, value: Any, depth: int) -> bytes:  # noqa: ANN401
    if value is None:
        return b""
    (element,) = kind.children
    if element.kind == "m":
        (value,) = value
    body = _encode(element, value, depth + 1)
    return body if element.fixed_size else body + b"\0"


def _array(kind: Type, value: Any, depth: int) -> bytes:  # noqa: ANN401
    (element,) = kind.children
    if element.kind == "y":
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError("not bytes")
        return bytes(value)
    if isinstance(value, (str, bytes)):
        raise TypeError("text or bytes where an array should be")
    encode = _ENCODERS[element.kind]
    if element.fixed_size:
        return b"".join([encode(element, item, depth + 1) for item in value])
    mask = element.alignment - 1
    body = bytearray()
    ends: list[int] = []
    for item in value:
        if mask:
            body += bytes(-len(body) & mask)
        body += encode(element, item, depth + 1)
        ends.append(len(body))
    return bytes(body) + pack_offsets(ends, len(body))


def _members(kind: Type, value: Any, depth: int) -> bytes:  # noqa: ANN401
    if isinstance(value, (str, bytes)) or len(value) != len(kind.children):
        raise TypeError(f"not {len(kind.children)} members")
    body = bytearray()
    ends: list[int] = []
    for child, item in zip(kind.children, value, strict=True):
        body += bytes(-len(body) % child.alignment)
        body += _encode(child, item, depth + 1)
        if not child.fixed_size:
            ends.append(len(body))
    if kind.fixed_size:
        return bytes(body) + bytes(kind.fixed_size - len(body))
    # The last member's end is the table's start; the others stand backwards.
    if len(ends) > kind.offsets:
        ends.pop()
    return bytes(body) + pack_offsets(ends[::-1], len(body))


_ENCODERS: dict[str, Callable[[Type, Any, int], bytes]] = {
    "b": _boolean,
    **dict.fromkeys("ynqiuhxtd", _number),
    **dict.fromkeys("sog", _string),
    "v": _variant,
    "m": _maybe,
    "a": _array,
    "(": _members,
    "{": _members,
}
