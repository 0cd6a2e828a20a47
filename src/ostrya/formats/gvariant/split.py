# SPDX-License-Identifier: Apache-2.0
"""Containers taken apart without decoding what is in them: for values too large to hold twice.

::

    tuple of n bytes
    +---------+-----+---------+-----+-------------+
    | child 0 | 0 0 | child 1 | 0 0 | end end     |   the ends stand backwards
    +---------+-----+---------+-----+-------------+

What comes out are views of what went in, or places in it. The framing is held to normal form as
``decode`` holds it; what the children are is for whoever decodes them to see.

Source: the GVariant specification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.types import framed_offset_size, offset_size, parse_type

if TYPE_CHECKING:
    from collections.abc import Iterator

# What the ends of a tuple take at most: eight bytes for each of its members.
MAX_END_BYTES = 8


def tuple_tail_size(type_string: str) -> int:
    """Say how many of its last bytes tell where the members of a tuple end, at most."""
    return MAX_END_BYTES * parse_type(type_string).offsets


def member_places(type_string: str, size: int, tail: bytes) -> tuple[tuple[int, int], ...]:
    """Give where each member of a tuple of variable size begins and ends.

    Args:
        type_string: The tuple's.
        size: Of the whole tuple, in bytes.
        tail: Its last bytes, ``tuple_tail_size`` of them or all there are.

    Raises:
        GVariantError: The ends do not add up.
    """
    kind = parse_type(type_string)
    width = offset_size(size)
    body = size - width * kind.offsets
    if body < 0 or not size or framed_offset_size(body, kind.offsets) != width:
        raise GVariantError("Not normal form: a tuple's offsets do not add up")
    places = []
    at = 0
    table = len(tail)
    last = len(kind.children) - 1
    for index, child in enumerate(kind.children):
        start = at + -at % child.alignment
        if child.fixed_size:
            stop = start + child.fixed_size
        elif index == last:
            stop = body
        else:
            table -= width
            stop = int.from_bytes(tail[table : table + width], "little")
        if not start <= stop <= body:
            raise GVariantError("Not normal form: a tuple's offsets overlap")
        places.append((start, stop))
        at = stop
    if at != body:
        raise GVariantError("Not normal form: a tuple has something after its last member")
    return tuple(places)


def split_tuple(type_string: str, data: memoryview) -> tuple[memoryview, ...]:
    """Give the members of a tuple of variable size.

    Raises:
        GVariantError: The framing is not in normal form.
    """
    tail = bytes(data[max(len(data) - tuple_tail_size(type_string), 0) :])
    places = member_places(type_string, len(data), tail)
    at = 0
    for start, stop in places:
        _check_padding(data, at, start)
        at = stop
    return tuple(data[start:stop] for start, stop in places)


def split_array(element_type: str, data: memoryview) -> Iterator[memoryview]:
    """Yield the elements of an array whose elements are of variable size.

    Raises:
        GVariantError: The framing is not in normal form.
    """
    size = len(data)
    if not size:
        return
    alignment = parse_type(element_type).alignment
    width = offset_size(size)
    table = int.from_bytes(data[size - width :], "little")
    count, rest = divmod(size - table, width)
    if count < 1 or rest or framed_offset_size(table, count) != width:
        raise GVariantError("Not normal form: an array's offsets do not add up")
    at = 0
    for place in range(table, size, width):
        start = at + -at % alignment
        stop = int.from_bytes(data[place : place + width], "little")
        if not start <= stop <= table:
            raise GVariantError("Not normal form: an array's offsets overlap")
        _check_padding(data, at, start)
        yield data[start:stop]
        at = stop


def split_variant(data: memoryview, max_type_bytes: int = 255) -> tuple[str, memoryview]:
    """Give the type and the bytes of what a variant holds.

    Raises:
        GVariantError: It has no type, or one that is longer than ``max_type_bytes``.
    """
    tail = bytes(data[max(len(data) - max_type_bytes - 1, 0) :])
    nul = tail.rfind(0)
    if nul < 0:
        raise GVariantError("Not normal form: a variant without a type")
    try:
        text = tail[nul + 1 :].decode("ascii")
    except UnicodeDecodeError as exc:
        raise GVariantError("Not normal form: a variant's type is none") from exc
    return parse_type(text).text, data[: len(data) - len(tail) + nul]


def _check_padding(data: memoryview, start: int, stop: int) -> None:
    if any(data[start:stop]):
        raise GVariantError("Not normal form: padding is not zero")
