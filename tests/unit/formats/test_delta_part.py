# SPDX-License-Identifier: Apache-2.0
"""Payloads of parts: found their way through without being held."""

from __future__ import annotations

import pytest

from ostrya.formats.delta_part import (
    PART_TYPE,
    TAIL_BYTES,
    FileMode,
    decode_modes,
    decode_xattr_set,
    decode_xattr_sets,
    empty_part,
    encode_modes,
    encode_part,
    max_payload_bytes,
    part_places,
)
from ostrya.formats.delta_superblock import PartHeader
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.gvariant.byteorder import swap_u32
from ostrya.formats.gvariant.encode import encode_variant

MODES = (FileMode(0, 0, 0o100644), FileMode(1000, 0xFFFF_FFFF, 0o120777))
SETS = ((), ((b"user.a", b"b"),), ((b"security.x", b""), (b"user.a", b"c" * 300)))


@pytest.mark.parametrize("modes", [(), MODES])
@pytest.mark.parametrize("sets", [(), SETS, SETS[:1]])
@pytest.mark.parametrize("size", [0, 1, 200, 255, 70_000])
def test_there_and_back(modes, sets, size):
    payload = encode_part(modes, sets, b"d" * size, b"ops")
    places = part_places(len(payload), payload[-TAIL_BYTES:])
    assert decode_modes(payload[slice(*places.modes)]) == modes
    encoded = decode_xattr_sets(payload[slice(*places.xattrs)])
    assert tuple(map(decode_xattr_set, encoded)) == sets
    assert payload[slice(*places.data)] == b"d" * size
    assert payload[slice(*places.operations)] == b"ops"
    swapped = tuple(tuple(map(swap_u32, mode)) for mode in modes)
    named = tuple(tuple((name + b"\0", value) for name, value in one) for one in sets)
    assert payload == encode_variant(PART_TYPE, (swapped, named, b"d" * size, b"ops"))


def test_empty():
    assert empty_part() == encode_part((), (), b"", b"")


@pytest.mark.parametrize("payload", [b"", b"\1\2\3", b"x" * 50, b"\0\0\5"])
def test_no_payload(payload):
    with pytest.raises(DeltaFormatError, match="Invalid delta part: Not normal form"):
        part_places(len(payload), payload[-TAIL_BYTES:])


def test_tables_that_are_none():
    with pytest.raises(DeltaFormatError, match="modes are cut short"):
        decode_modes(b"x" * 13)
    with pytest.raises(DeltaFormatError, match="xattrs: Not normal form"):
        decode_xattr_sets(b"\xff\xff")
    with pytest.raises(DeltaFormatError, match="Invalid delta part"):
        decode_xattr_set(b"\xff\xff")
    with pytest.raises(DeltaFormatError, match="Invalid owner or mode"):
        encode_modes([FileMode(-1, 0, 0)])


def test_limit():
    assert max_payload_bytes(PartHeader(0, "a" * 64, 5, 1 << 30, b"")) > 1 << 32
    assert max_payload_bytes(PartHeader(0, "a" * 64, 5, 0, b"")) == 16 << 20
