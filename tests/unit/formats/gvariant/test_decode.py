# SPDX-License-Identifier: Apache-2.0
"""Bytes to values: known ones, what is not normal, and what is hostile."""

from __future__ import annotations

import math
import tracemalloc
from contextlib import suppress

import pytest

from ostrya.formats.errors import GVariantError
from ostrya.formats.gvariant import decode
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant

# Type, bytes, value. The examples of the GVariant specification among them.
KNOWN = [
    ("y", "2a", 42),
    ("b", "01", True),
    ("n", "feff", -2),
    ("q", "feff", 65534),
    ("i", "feffffff", -2),
    ("u", "feffffff", 4294967294),
    ("h", "05000000", 5),
    ("x", "feffffffffffffff", -2),
    ("t", "0100000000000000", 1),
    ("d", "000000000000f83f", 1.5),
    ("s", "68656c6c6f20776f726c6400", "hello world"),
    ("s", "00", ""),
    ("o", "2f6100", "/a"),
    ("g", "61737300", "ass"),
    ("v", "0100000000 75".replace(" ", "00")[:8] + "0075", Variant("u", 1)),
    ("ms", "", None),
    ("ms", "68656c6c6f20776f726c640000", "hello world"),
    ("mi", "05000000", 5),
    ("mmi", "", None),
    ("mmi", "00", (None,)),
    ("mmi", "0500000000", (5,)),
    ("aab", "00", ((),)),
    ("ab", "0100000101", (True, False, False, True, True)),
    ("ay", "040506", b"\4\5\6"),
    ("ay", "", b""),
    ("ai", "0400000002010000", (4, 258)),
    ("()", "00", ()),
    ("(si)", "666f6f00ffffffff04", ("foo", -1)),
    ("a(si)", "68690000feffffff0300000062796500ffffffff040915", (("hi", -2), ("bye", -1))),
    ("as", "6900 63616e00 68617300 73747269 6e67733f 00 02060a13".replace(" ", ""), ("i", "can", "has", "strings?")),
    ("((ys)as)", "6963616e0068617300737472696e67733f00040d05", ((0x69, "can"), ("has", "strings?"))),
    ("(yy)", "7080", (112, 128)),
    ("(iy)", "6000000070000000", (96, 112)),
    ("(yi)", "7000000060000000", (112, 96)),
    ("a(iy)", "600000007000000088020000f7000000", ((96, 112), (648, 247))),
    ("a{si}", "61 00 0000 02000000 02 000000 6200 0000 05000000 02 0915".replace(" ", ""), (("a", 2), ("b", 5))),
    ("a{sv}", "", VarDict()),
]  # fmt: skip


@pytest.mark.parametrize(("type_string", "encoded", "value"), KNOWN)
def test_known(type_string, encoded, value):
    data = bytes.fromhex(encoded)
    assert decode_variant(type_string, data) == value
    assert type(decode_variant(type_string, data)) is type(value)
    assert decode_variant(type_string, memoryview(data)) == value
    assert encode_variant(type_string, value) == data


@pytest.mark.parametrize(
    ("type_string", "encoded", "value"),
    [
        ("u", "00000001", 1),
        ("(qs)", "0001 6100".replace(" ", ""), (1, "a")),
        ("(sq)", "6100 0001 02".replace(" ", ""), ("a", 1)),
        ("at", "0000000000000001", (1,)),
        ("v", "00000005 00 69".replace(" ", ""), Variant("i", 5)),
        ("d", "3ff8000000000000", 1.5),
    ],
)
def test_big_endian(type_string, encoded, value):
    """Integers turn, offsets do not."""
    assert decode_variant(type_string, bytes.fromhex(encoded), byteorder="big") == value


def test_nan_keeps_its_bits():
    for bits in ("010000000000f87f", "000000000000f8ff", "010000000000f07f"):
        data = bytes.fromhex(bits)
        value = decode_variant("d", data)
        assert math.isnan(value)
        assert encode_variant("d", value) == data


NOT_NORMAL = [
    ("y", ""),
    ("y", "0000"),
    ("b", "02"),
    ("b", ""),
    ("u", "000000"),
    ("u", "0000000000"),
    ("s", ""),
    ("s", "61"),
    ("s", "610061"),
    ("s", "610000"),
    ("s", "ff00"),
    ("s", "eda08000"),
    ("o", "6100"),
    ("g", "6d6900"),
    ("v", ""),
    ("v", "01"),
    ("v", "00"),
    ("v", "0100ff"),
    ("v", "010078"),
    ("v", "0001007979"),
    ("v", "01007a"),
    ("v", "0000002a"),
    ("mi", "0500"),
    ("ms", "00"),
    ("ms", "610001"),
    ("ai", "000000"),
    ("as", "00"),
    ("as", "610001"),
    ("as", "610003"),
    ("as", "6100620004"),
    ("as", "610062000402"),
    ("as", "6100620002ff"),
    ("as", "ff"),
    ("()", ""),
    ("()", "01"),
    ("()", "0000"),
    ("(yu)", "7000010060000000"),
    ("(yu)", "70000000600000"),
    ("(uy)", "6000000070000001"),
    ("(su)", "6100000001000000"),
    ("(su)", "610000010100000002"),
    ("(su)", "610000000100000003"),
    ("(su)", "6100000001000000ff"),
    ("(ss)", ""),
    ("(ss)", "61006200"),
    ("(ss)", "6100620003"),
    ("(say)", "61000003"),
    ("aa()", "0002"),
    ("a{sv}", "00"),
]


@pytest.mark.parametrize(("type_string", "encoded"), NOT_NORMAL)
def test_not_normal(type_string, encoded):
    with pytest.raises(GVariantError, match="Not normal form"):
        decode_variant(type_string, bytes.fromhex(encoded))


def test_offsets_wider_than_need_be():
    """253 bytes of body and a one-byte offset fit in 255: two bytes are not normal."""
    body = b"a" * 252 + b"\0"
    assert decode_variant("as", body + b"\xfd") == ("a" * 252,)
    with pytest.raises(GVariantError):
        decode_variant("as", body + b"\xfd\x00")
    padded = b"a" * 253 + b"\0"
    assert decode_variant("as", padded + b"\xfe") == ("a" * 253,)
    longer = b"a" * 254 + b"\0"
    assert decode_variant("as", longer + b"\xff\x00") == ("a" * 254,)
    with pytest.raises(GVariantError):
        decode_variant("as", bytes(200) + b"\0\0" * 40 + b"\xc8\0")


@pytest.mark.parametrize(
    "size",
    [0, 1, 250, 251, 252, 253, 254, 255, 256, 65530, 65531, 65532, 65533, 65534, 65535, 65536],
)
@pytest.mark.parametrize("type_string", ["as", "(sy)", "(ss)", "(say)", "a(sy)", "mas"])
def test_borders_of_offset_sizes(type_string, size):
    text = "x" * size
    value = {
        "as": (text,), "(sy)": (text, 1), "(ss)": (text, text), "(say)": (text, b"z"),
        "a(sy)": ((text, 1), ("", 2)), "mas": (text, ""),
    }[type_string]  # fmt: skip
    data = encode_variant(type_string, value)
    assert decode_variant(type_string, data) == value
    with pytest.raises(GVariantError):
        decode_variant(type_string, data + b"\0" if type_string != "mas" else data + b"\1")


def nested(depth: int) -> bytes:
    data = b"\x05\0y"
    for _ in range(depth):
        data += b"\0v"
    return data


def test_variants_nest_64_deep():
    value = decode_variant("v", nested(63))
    for _ in range(63):
        value = value.value
    assert value == Variant("y", 5)
    for depth in (64, 65, 200, 100_000):
        with pytest.raises(GVariantError, match="too deep"):
            decode_variant("v", nested(depth))


def test_types_in_variants_count_too():
    data = b"\0" + b"a" * 63 + b"y"
    assert decode_variant("v", data) == Variant("a" * 63 + "y", ())
    with pytest.raises(GVariantError, match="too deep"):
        decode_variant("v", b"\0" + b"a" * 64 + b"y")


def peak_of(type_string: str, data: bytes) -> int:
    """What decoding takes at its worst, whether it succeeds or not."""
    tracemalloc.start()
    try:
        with suppress(GVariantError):
            decode_variant(type_string, data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def variant_of(type_string: str, data: bytes) -> bytes:
    return data + b"\0" + type_string.encode()


GREEDY = {
    "nesting that takes no room": variant_of("a" + "(" * 60 + "y" + ")" * 60, bytes(20_000)),
    "tuples of a byte": variant_of("a(y)", bytes(2 << 20)),
    "tuples in tuples": variant_of("a((y))", bytes(2 << 20)),
    "small numbers": variant_of("an", b"\1\2" * (1 << 20)),
    "a long type": variant_of("(" + "(y)" * 300_000 + ")", bytes(300_000)),
}


@pytest.mark.parametrize("data", GREEDY.values(), ids=GREEDY)
def test_what_takes_far_more_memory_than_bytes_is_refused(data):
    with pytest.raises(GVariantError, match=f"Value of {len(data)} bytes would take far more"):
        decode_variant("v", data)
    assert peak_of("v", data) < 5 * len(data) + (1 << 20)


def test_what_nests_around_nothing_is_stopped_on_the_way(monkeypatch):
    """Strings of one byte and its offset, each in 50 tuples."""
    monkeypatch.setattr(decode, "_FREE_BYTES", 1 << 20)
    count = 10_000
    body = bytes(count)
    ends = b"".join(n.to_bytes(2, "little") for n in range(1, count + 1))
    data = variant_of("a" + "(" * 50 + "s" + ")" * 50, body + ends)
    with pytest.raises(GVariantError, match="far more memory"):
        decode_variant("v", data)
    assert peak_of("v", data) < (2 << 20) + 10 * len(data)


def test_however_long_the_input_there_is_an_end_to_memory():
    """Numbers that take 640 MiB, in front of so many bytes that eight times as much would do."""
    numbers = bytes(32 << 20)
    data = encode_variant("(anay)", ((), bytes(80 << 20)))
    assert decode_variant("(anay)", data)[0] == ()
    data = numbers + data[:-4] + len(numbers).to_bytes(4, "little")
    with pytest.raises(GVariantError, match="far more memory"):
        decode_variant("(anay)", data)


@pytest.mark.parametrize(
    ("type_string", "item"),
    [
        ("aay", bytes(37)),
        ("as", "org.example.Name/x86_64/stable"),
        ("a(sssss)", ("package", "0", "1.2.3", "1.fc40", "noarch")),
        ("a{sv}", ("key", Variant("u", 5000))),
        ("a(s(taya{sv}))", ("ref", (5000, bytes(32), VarDict((("k", Variant("t", 1 << 40)),))))),
    ],
)
def test_what_is_really_stored_is_not_hit_by_that_bound(type_string, item):
    value = (item,) * 30_000
    data = encode_variant(type_string, value)
    assert decode_variant(type_string, data) == value


def test_plain_pairs_are_not_hit_by_that_bound():
    pairs = tuple((n & 255, True) for n in range(20_000))
    assert decode_variant("a(yb)", encode_variant("a(yb)", pairs)) == pairs
    singles = tuple((((n & 255,),),) for n in range(20_000))
    assert decode_variant("a(((y)))", encode_variant("a(((y)))", singles)) == singles


def test_an_unknown_type_is_refused():
    with pytest.raises(GVariantError):
        decode_variant("z", b"")
