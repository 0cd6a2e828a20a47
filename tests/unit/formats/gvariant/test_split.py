# SPDX-License-Identifier: Apache-2.0
"""Containers taken apart: the parts are those that the decoder sees."""

from __future__ import annotations

import pytest

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.split import (
    member_places,
    split_array,
    split_tuple,
    split_variant,
    tuple_tail_size,
)
from ostrya.formats.gvariant.types import parse_type
from ostrya.formats.gvariant.vardict import Variant

TUPLES = [
    ("(sus)", ("a", 1, "b")),
    ("(a{sv}tay)", ((("k", Variant("u", 1)),), 7, b"xyz")),
    ("(ayay)", (b"", b"")),
    ("(ayt)", (b"abc", 1)),
    ("(yay)", (1, b"z" * 300)),
    ("(a(uuu)aa(ayay)ayay)", (((1, 2, 3),), (((b"n\0", b"v"),),), b"d" * 70000, b"o")),
]


@pytest.mark.parametrize(("kind", "value"), TUPLES, ids=[kind for kind, _ in TUPLES])
def test_tuples(kind, value):
    data = encode_variant(kind, value)
    members = split_tuple(kind, memoryview(data))
    children = parse_type(kind).children
    decoded = decode_variant(kind, data)
    for child, member, expected in zip(children, members, decoded, strict=True):
        assert decode_variant(child.text, member) == expected
    tail = data[-tuple_tail_size(kind) :]
    places = member_places(kind, len(data), tail)
    assert [data[start:stop] for start, stop in places] == [bytes(part) for part in members]


@pytest.mark.parametrize(("kind", "value"), TUPLES, ids=[kind for kind, _ in TUPLES])
def test_a_changed_tuple_is_refused_where_the_decoder_refuses_its_frame(kind, value):
    data = encode_variant(kind, value)
    for at in {*range(min(len(data), 40)), *range(max(len(data) - 20, 0), len(data))}:
        for change in (1, 0x80, 0xFF):
            changed = bytearray(data)
            changed[at] ^= change
            try:
                members = split_tuple(kind, memoryview(changed))
            except GVariantError:
                with pytest.raises(GVariantError):
                    decode_variant(kind, bytes(changed))
                continue
            assert sum(map(len, members)) <= len(changed)


@pytest.mark.parametrize("data", [b"", b"\5", b"abc\xff", b"a\0\0\0\0\0\0\0\x09\x01"])
def test_no_tuple(data):
    with pytest.raises(GVariantError):
        split_tuple("(ayt)", memoryview(data))


@pytest.mark.parametrize("items", [(), ("a",), ("", "b" * 300, "c")])
def test_arrays(items):
    data = encode_variant("as", items)
    found = tuple(decode_variant("s", part) for part in split_array("s", memoryview(data)))
    assert found == items


def test_arrays_of_aligned_elements():
    entries = (("key", Variant("t", 1)), ("k", Variant("y", 2)))
    data = encode_variant("a{sv}", entries)
    parts = list(split_array("{sv}", memoryview(data)))
    assert tuple(decode_variant("{sv}", part) for part in parts) == entries
    spoiled = bytearray(data)
    spoiled[4] = 1
    with pytest.raises(GVariantError):
        list(split_tuple("{sv}", next(split_array("{sv}", memoryview(spoiled)))))


@pytest.mark.parametrize("data", [b"\xff", b"a\0b\0\x05\x04", b"a\0\3\0\2", b"\1\0\0"])
def test_no_array(data):
    with pytest.raises(GVariantError):
        list(split_array("s", memoryview(data)))


def test_variants():
    kind, body = split_variant(memoryview(encode_variant("v", Variant("(yay)", (7, b"abc")))))
    assert (kind, bytes(body)) == ("(yay)", b"\7abc")
    for data in (b"", b"abc", b"x\0\xff", b"x\0zz"):
        with pytest.raises(GVariantError):
            split_variant(memoryview(data))
    with pytest.raises(GVariantError):
        split_variant(memoryview(b"\0" + b"a" * 300 + b"y"))
