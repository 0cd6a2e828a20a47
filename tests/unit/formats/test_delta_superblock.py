# SPDX-License-Identifier: Apache-2.0
"""Superblocks: written and read in both byte orders, signed and not; and byte orders guessed."""

from __future__ import annotations

import pytest

from ostrya.formats.commit import Commit
from ostrya.formats.delta_name import DeltaName, part_path
from ostrya.formats.delta_signed import SignedDelta
from ostrya.formats.delta_superblock import (
    KEY_ENDIANNESS,
    DeltaByteOrder,
    Fallback,
    FoundByteOrder,
    PartHeader,
    Superblock,
    byte_order_value,
    decode_superblock,
    encode_objects,
    find_byte_order,
)
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.gvariant.byteorder import swap_u64
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType

A, B, C = "a" * 64, "b" * 64, "c" * 64
OBJECTS = (ObjectName(A, ObjectType.DIR_TREE), ObjectName(B, ObjectType.FILE))
COMMIT = Commit(VarDict(), None, (), "s", "b", 5, A, B).encode()


def superblock(order: DeltaByteOrder | None = DeltaByteOrder.LITTLE, **fields) -> Superblock:
    metadata = VarDict()
    if order is not None:
        metadata = VarDict(((KEY_ENDIANNESS, byte_order_value(order)),))
    given = {
        "metadata": metadata,
        "timestamp": 1_700_000_000,
        "origin": A,
        "to": B,
        "commit_data": COMMIT,
        "parents": b"",
        "parts": (PartHeader(0, C, 100, 300, encode_objects(OBJECTS)), PartHeader(0, A, 1, 2, b"")),
        "fallbacks": (Fallback(OBJECTS[1], 5_000_000, 6_000_000),),
        "byte_order": FoundByteOrder(order or DeltaByteOrder.INVALID, heuristic=order is None),
    }
    return Superblock(**(given | fields))


@pytest.mark.parametrize("order", [DeltaByteOrder.LITTLE, DeltaByteOrder.BIG, None])
@pytest.mark.parametrize("origin", [A, None])
def test_there_and_back(order, origin):
    block = superblock(order, origin=origin)
    data = block.encode()
    assert Superblock.decode(data) == block
    assert decode_superblock(data) == (block, None)
    assert block.name == DeltaName(B, origin)
    assert (block.size, block.unpacked_size) == (101, 302)
    assert tuple(block.parts[0].object_names()) == OBJECTS
    assert block.parts[0].object_count == 2
    assert block.inline_part(0) is None


def test_swapped_integers_are_big_endian():
    assert (100).to_bytes(8, "big") in superblock(DeltaByteOrder.BIG).encode()
    assert (5_000_000).to_bytes(8, "big") in superblock(DeltaByteOrder.BIG).encode()
    assert (100).to_bytes(8, "little") in superblock().encode()


def test_inline_parts_are_views():
    name = DeltaName(B, A)
    metadata = VarDict(
        (
            (KEY_ENDIANNESS, byte_order_value(DeltaByteOrder.LITTLE)),
            (part_path(name, 1), Variant("(yay)", (120, b"body"))),
        )
    )
    data = superblock(metadata=metadata).encode()
    block = Superblock.decode(data)
    compression, body = block.inline_part(1)
    assert (compression, bytes(body)) == (120, b"body")
    assert isinstance(body, memoryview)
    assert body.obj is data
    assert block.inline_part(0) is None
    assert block.encode() == data


def test_signed():
    plain = superblock().encode()
    signatures = VarDict((("ostree.sign.ed25519", Variant("aay", (b"s" * 64,))),))
    data = SignedDelta(plain, signatures).encode()
    block, signed = decode_superblock(data)
    assert block == superblock()
    assert signed.signatures == signatures
    assert bytes(signed.superblock) == plain
    other = VarDict((("other", Variant("s", "x")),))
    assert decode_superblock(SignedDelta(plain, other).encode()) == (block, None)


PART = (0, b"", 10, 20, b"o" * 33)


@pytest.mark.parametrize(
    ("parts", "order"),
    [
        ([], DeltaByteOrder.INVALID),
        ([PART], DeltaByteOrder.INVALID),
        ([(0, b"", 24, 20, b"o" * 33)], DeltaByteOrder.INVALID),
        # A small part that is larger than what it makes.
        ([(0, b"", 593, 482, b"o" * 99)], DeltaByteOrder.INVALID),
        ([(0, b"", 1, 0, b"")], DeltaByteOrder.BIG),
        ([(0, b"", swap_u64(300), swap_u64(5000), b"o" * 33)], DeltaByteOrder.BIG),
        ([(0, b"", swap_u64(593), swap_u64(482), b"o" * 99)], DeltaByteOrder.BIG),
        ([(0, b"", 1 << 40, 1 << 40, b"o" * 33)], DeltaByteOrder.BIG),
        ([(0, b"", 1 << 40, 1 << 40, b"o" * 33 * 300)], DeltaByteOrder.INVALID),
    ],
)
def test_guessed_order(parts, order):
    assert find_byte_order(VarDict(), parts) == FoundByteOrder(order, heuristic=True)


def test_said_order():
    def find(letter: str) -> FoundByteOrder:
        return find_byte_order(
            VarDict(((KEY_ENDIANNESS, Variant("y", ord(letter))),)), [(0, b"", 25, 20, b"o" * 33)]
        )

    assert find("l") == FoundByteOrder(DeltaByteOrder.LITTLE, heuristic=False)
    assert find("B") == FoundByteOrder(DeltaByteOrder.BIG, heuristic=False)
    assert find("B").swapped
    assert find("x") == FoundByteOrder(DeltaByteOrder.INVALID, heuristic=False)
    assert not find("x").swapped


def test_an_unmarked_delta_of_the_other_order_is_read_right():
    block = superblock(
        DeltaByteOrder.BIG,
        metadata=VarDict(),
        byte_order=FoundByteOrder(DeltaByteOrder.BIG, heuristic=True),
    )
    assert Superblock.decode(block.encode()) == block


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"to": "ab"}, "target: Invalid checksum of length 1"),
        ({"origin": "ab"}, "source: Invalid checksum of length 1"),
        ({"parts": (PartHeader(0, "ab", 1, 2, b""),)}, "part: Invalid checksum of length 1"),
        ({"parts": (PartHeader(0, A, 1, 2, b"1234"),)}, "Invalid checksum array length 4"),
        ({"fallbacks": (Fallback(ObjectName(A, 9), 1, 2),)}, "Invalid object type '9'"),
        ({"fallbacks": (Fallback(ObjectName("ab", 1), 1, 2),)}, "fallback: Invalid checksum"),
        (
            {"metadata": VarDict((("x", Variant("(yay)", (1, b""))),))},
            None,
        ),
    ],
)
def test_fields_that_make_no_sense(fields, message):
    data = superblock(**fields).encode()
    if message is None:
        Superblock.decode(data)
        return
    with pytest.raises(DeltaFormatError, match=message):
        Superblock.decode(data)


@pytest.mark.parametrize("data", [b"", b"\0", b"x" * 200])
def test_no_superblock(data):
    with pytest.raises(DeltaFormatError, match="Invalid delta superblock: Not normal form"):
        Superblock.decode(data)


def test_objects_that_are_none():
    header = PartHeader(0, A, 1, 2, b"\5" + bytes(32))
    with pytest.raises(DeltaFormatError, match="Invalid object type '5'"):
        header.object_name(0)
    with pytest.raises(DeltaFormatError, match="The part makes only 1 objects"):
        header.object_name(1)
