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

Refused too: what would take far more memory than it has bytes. An ``a(y)`` is a tuple for each
byte; nothing that is really stored comes near the limit, 16 MiB and eight times the input, but
512 MiB at most.

Source: the GVariant specification; the refusals are those of ``g_variant_is_normal_form``.
"""

from __future__ import annotations

from struct import unpack
from typing import TYPE_CHECKING, Any, Literal

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.types import (
    CACHED_LENGTH,
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

_FREE_BYTES = 16 << 20
_BYTES_PER_BYTE = 8
_MOST_BYTES = 512 << 20
# What CPython takes, about: an object, a pointer to it, and each byte of a parsed type.
_OBJECT_BYTES = 56
_NUMBER_BYTES = 32
_POINTER_BYTES = 8
_TYPE_BYTES = 64

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
        GVariantError: Not a value of that type in normal form, or one that takes far more memory
            than it has bytes.
    """
    parsed = parse_type(type_string)
    whole = bytes(data)
    decoder = _Decoder(whole, "<" if byteorder == "little" else ">")
    return decoder.value(parsed, 0, len(whole), 0)


def _refuse(detail: str) -> GVariantError:
    return GVariantError(f"Not normal form: {detail}")


def _memory_of(kind: Type) -> int:
    """Say what a value of a type of fixed size takes, without the pointer to it."""
    if kind.kind not in "({":
        return _NUMBER_BYTES if kind.kind in _STRUCT_CODES else 0
    if not kind.children:
        return 0
    below = sum(_memory_of(child) for child in kind.children)
    return _OBJECT_BYTES + _POINTER_BYTES * len(kind.children) + below


class _Decoder:
    """One run over one buffer; places are absolute, ``end`` is exclusive."""

    __slots__ = ("budget", "data", "order")

    def __init__(self, data: bytes, order: str) -> None:
        self.data = data
        self.order = order
        # Bytes of memory that may still be taken.
        self.budget = min(_FREE_BYTES + _BYTES_PER_BYTE * len(data), _MOST_BYTES)

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
        self.budget -= _NUMBER_BYTES
        found: int | float = unpack(self.order + _STRUCT_CODES[kind.kind], self.data[start:end])[0]
        return found

    def string(self, kind: Type, start: int, end: int, _depth: int) -> str:
        raw = self.data[start:end]
        if not raw or raw.find(0) != end - start - 1:
            raise _refuse("a string does not end at its first NUL")
        if raw != b"\0":
            self.budget -= _OBJECT_BYTES + len(raw)
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
        length = end - nul - 1
        self.spend(_OBJECT_BYTES + 2 * _POINTER_BYTES)
        if length > CACHED_LENGTH:
            self.spend(_TYPE_BYTES * length)
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
        self.spend(_OBJECT_BYTES)
        if not element.fixed_size:
            end -= 1
            if self.data[end]:
                raise _refuse("a maybe does not end in zero")
        inner = self.value(element, start, end, depth + 1)
        return (inner,) if element.kind == "m" else inner

    def array(self, kind: Type, start: int, end: int, depth: int) -> Any:  # noqa: ANN401
        (element,) = kind.children
        if element.kind == "y":
            if start < end:
                self.budget -= _OBJECT_BYTES + end - start
            return self.data[start:end]
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
        self.spend(_OBJECT_BYTES + _POINTER_BYTES * count)
        # Known beforehand, so refused before a part of it is there.
        self.require(_memory_of(element) * count)
        code = _STRUCT_CODES.get(element.kind)
        if code is not None:
            self.spend(_NUMBER_BYTES * count)
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
        self.spend(_OBJECT_BYTES + _POINTER_BYTES * count)
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
        self.spend(_OBJECT_BYTES + _POINTER_BYTES * len(kind.children))
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

    def spend(self, memory: int) -> None:
        """Take memory off the budget."""
        self.require(memory)
        self.budget -= memory

    def require(self, memory: int) -> None:
        """Refuse to go on if the budget has less."""
        if memory > self.budget:
            raise GVariantError(
                f"Value of {len(self.data)} bytes would take far more memory than that"
            )


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
