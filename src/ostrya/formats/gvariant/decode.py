# SPDX-License-Identifier: Apache-2.0
"""Bytes to Python values; only the one normal form of each value is taken.

::

    container of n bytes
    +---------+-----+---------+-----+---------+--------------------+
    | child 0 | 0 0 | child 1 | 0 0 | child 2 | end end end        |
    +---------+-----+---------+-----+---------+--------------------+
      padding to the child's alignment is zero; ends count from the container's start,
      arrays in order, tuples backwards and without the last member's; 1, 2, 4 or 8 bytes each

Refused, as not normal: offsets that overlap, leave gaps or are wider than need be; padding
that is not zero; strings without their NUL, with one inside, or not UTF-8; booleans other
than 0 and 1; unknown types; anything nested deeper than 64.

Source: the GVariant specification; the refusals are those of ``g_variant_is_normal_form``.
"""

from __future__ import annotations

from struct import unpack
from typing import TYPE_CHECKING, Any, Literal

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.types import (
    MAX_DEPTH,
    Type,
    framed_offset_size,
    is_object_path,
    is_signature,
    offset_size,
    parse_type,
)
from ostrya.formats.gvariant.vardict import VarDict, Variant

if TYPE_CHECKING:
    from collections.abc import Callable

ByteOrder = Literal["little", "big"]

_STRUCT_CODES = {
    "n": "h", "q": "H", "i": "i", "u": "I", "h": "i", "x": "q", "t": "Q", "d": "d",
}  # fmt: skip


def decode_variant(
    type_string: str, data: bytes | memoryview, *, byteorder: ByteOrder = "little"
) -> Any:  # noqa: ANN401
    """Decode a value of the given type.

    Args:
        type_string: One definite type.
        data: The whole value, from its first byte to its last.
        byteorder: Of the integers inside; offsets are little-endian always.

    Raises:
        GVariantError: Not a value of that type in normal form.
    """
    parsed = parse_type(type_string)
    whole = bytes(data)
    decoder = _Decoder(whole, "<" if byteorder == "little" else ">")
    return decoder.value(parsed, 0, len(whole), 0)


def _refuse(detail: str) -> GVariantError:
    return GVariantError(f"Not normal form: {detail}")


class _Decoder:
    """One run over one buffer; places are absolute, ``end`` is exclusive."""

    __slots__ = ("budget", "data", "order")

    def __init__(self, data: bytes, order: str) -> None:
        self.data = data
        self.order = order
        # Containers per byte, and some: what nests without taking room, like ((((y)))), must
        # not make much of a short input.
        self.budget = 4 * len(data) + 4096

    def value(self, kind: Type, start: int, end: int, depth: int) -> Any:  # noqa: ANN401
        return _DECODERS[kind.kind](self, kind, start, end, depth)

    def byte(self, _kind: Type, start: int, end: int, _depth: int) -> int:
        if end - start != 1:
            raise _refuse("wrong size of a byte")
        return self.data[start]

    def boolean(self, _kind: Type, start: int, end: int, _depth: int) -> bool:
        if end - start != 1 or self.data[start] > 1:
            raise _refuse("a boolean is neither 0 nor 1")
        return self.data[start] == 1

    def number(self, kind: Type, start: int, end: int, _depth: int) -> int | float:
        if end - start != kind.fixed_size:
            raise _refuse("wrong size of a number")
        found: int | float = unpack(self.order + _STRUCT_CODES[kind.kind], self.data[start:end])[0]
        return found

    def string(self, kind: Type, start: int, end: int, _depth: int) -> str:
        raw = self.data[start:end]
        if not raw or raw.find(0) != end - start - 1:
            raise _refuse("a string does not end at its first NUL")
        try:
            text = raw[:-1].decode("utf-8")
        except UnicodeDecodeError as exc:
            raise _refuse("a string is not UTF-8") from exc
        if kind.kind == "o" and not is_object_path(text):
            raise _refuse("not an object path")
        if kind.kind == "g" and not is_signature(text):
            raise _refuse("not a signature")
        return text

    def variant(self, _kind: Type, start: int, end: int, depth: int) -> Variant:
        nul = self.data.rfind(0, start, end)
        if nul < 0:
            raise _refuse("a variant without a type")
        try:
            inner = parse_type(self.data[nul + 1 : end].decode("ascii"))
        except (GVariantError, UnicodeDecodeError) as exc:
            raise _refuse(f"a variant's type is none: {exc}") from exc
        if depth + 1 + inner.depth > MAX_DEPTH:
            raise _refuse("nested too deep")
        return Variant(inner.text, self.value(inner, start, nul, depth + 1))

    def maybe(self, kind: Type, start: int, end: int, depth: int) -> Any:  # noqa: ANN401
        if start == end:
            return None
        (element,) = kind.children
        self.spend()
        if not element.fixed_size:
            end -= 1
            if self.data[end]:
                raise _refuse("a maybe does not end in zero")
        inner = self.value(element, start, end, depth + 1)
        return (inner,) if element.kind == "m" else inner

    def array(self, kind: Type, start: int, end: int, depth: int) -> Any:  # noqa: ANN401
        (element,) = kind.children
        if element.kind == "y":
            return self.data[start:end]
        self.spend()
        if start == end:
            items: tuple[Any, ...] = ()
        elif element.fixed_size:
            items = self.fixed_elements(element, start, end, depth)
        else:
            items = self.framed_elements(element, start, end, depth)
        return VarDict(items) if kind.text == "a{sv}" else items

    def fixed_elements(self, element: Type, start: int, end: int, depth: int) -> tuple[Any, ...]:
        width = element.fixed_size
        count, rest = divmod(end - start, width)
        if rest:
            raise _refuse("an array's size is no multiple of its element's")
        code = _STRUCT_CODES.get(element.kind)
        if code is not None:
            return unpack(f"{self.order}{count}{code}", self.data[start:end])
        decode = _DECODERS[element.kind]
        return tuple(
            decode(self, element, at, at + width, depth + 1) for at in range(start, end, width)
        )

    def framed_elements(self, element: Type, start: int, end: int, depth: int) -> tuple[Any, ...]:
        data = self.data
        width = offset_size(end - start)
        body = int.from_bytes(data[end - width : end], "little")
        count, rest = divmod(end - start - body, width)
        if count < 1 or rest or framed_offset_size(body, count) != width:
            raise _refuse("an array's offsets do not add up")
        decode = _DECODERS[element.kind]
        mask = element.alignment - 1
        items = []
        at = 0
        table = start + body
        for place in range(table, end, width):
            stop = int.from_bytes(data[place : place + width], "little")
            if mask and at & mask:
                at = self.skip_padding(start, at, mask)
            if not at <= stop <= body:
                raise _refuse("an array's offsets overlap")
            items.append(decode(self, element, start + at, start + stop, depth + 1))
            at = stop
        return tuple(items)

    def skip_padding(self, start: int, at: int, mask: int) -> int:
        """Step over zeros to the next multiple; past the end is for the caller to see."""
        aligned = (at + mask) & ~mask
        if any(self.data[start + at : start + aligned]):
            raise _refuse("padding is not zero")
        return aligned

    def members(self, kind: Type, start: int, end: int, depth: int) -> tuple[Any, ...]:
        size = end - start
        if kind.fixed_size and size != kind.fixed_size:
            raise _refuse("wrong size of a tuple")
        width = offset_size(size)
        body = size - width * kind.offsets
        if kind.offsets and not size:
            # GLib takes this for normal too, but never writes it: each value has one spelling.
            raise _refuse("a tuple of no bytes")
        if kind.offsets and (body < 0 or framed_offset_size(body, kind.offsets) != width):
            raise _refuse("a tuple's offsets do not add up")
        self.spend()
        items = []
        at = 0
        table = end
        last = len(kind.children) - 1
        for index, child in enumerate(kind.children):
            mask = child.alignment - 1
            if mask and at & mask:
                at = self.skip_padding(start, at, mask)
            if child.fixed_size:
                stop = at + child.fixed_size
            elif index == last:
                stop = body
            else:
                table -= width
                stop = int.from_bytes(self.data[table : table + width], "little")
            if not at <= stop <= body:
                raise _refuse("a tuple's offsets overlap")
            items.append(self.value(child, start + at, start + stop, depth + 1))
            at = stop
        if at != body:
            self.check_tail(kind, start + at, end)
        return tuple(items)

    def check_tail(self, kind: Type, at: int, end: int) -> None:
        if not kind.fixed_size or any(self.data[at:end]):
            raise _refuse("a tuple has something after its last member")

    def spend(self) -> None:
        self.budget -= 1
        if self.budget < 0:
            raise _refuse("more nesting than bytes")


_DECODERS: dict[str, Callable[[_Decoder, Type, int, int, int], Any]] = {
    "y": _Decoder.byte,
    "b": _Decoder.boolean,
    **dict.fromkeys("nqiuhxtd", _Decoder.number),
    **dict.fromkeys("sog", _Decoder.string),
    "v": _Decoder.variant,
    "m": _Decoder.maybe,
    "a": _Decoder.array,
    "(": _Decoder.members,
    "{": _Decoder.members,
}
