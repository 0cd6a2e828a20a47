# SPDX-License-Identifier: Apache-2.0
"""LEB128 integers."""

from __future__ import annotations

import pytest

from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.varint import decode_varint, encode_varint

KNOWN = [
    (0, "00"),
    (1, "01"),
    (127, "7f"),
    (128, "8001"),
    (300, "ac02"),
    (16383, "ff7f"),
    (16384, "808001"),
    (2**32, "8080808010"),
    (2**63, "80808080808080808001"),
    (2**64 - 1, "ffffffffffffffffff01"),
]


@pytest.mark.parametrize(("value", "encoded"), KNOWN)
def test_known(value, encoded):
    assert encode_varint(value).hex() == encoded
    assert decode_varint(bytes.fromhex(encoded)) == (value, len(encoded) // 2)


def test_at_a_place():
    assert decode_varint(bytes.fromhex("ffac0205"), 1) == (300, 3)


def test_longer_than_need_be_is_read():
    assert decode_varint(b"\x81\x80\x00") == (1, 3)


def test_bits_beyond_64_are_dropped():
    assert decode_varint(b"\xff" * 9 + b"\x7f") == (2**64 - 1, 10)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 9, b"\x80" * 10 + b"\x01"])
def test_cut_short_or_endless(data):
    with pytest.raises(ObjectFormatError, match="Unexpected EOF reading varint"):
        decode_varint(data)


@pytest.mark.parametrize("value", [-1, 2**64])
def test_what_does_not_fit(value):
    with pytest.raises(ObjectFormatError, match="Invalid varint value"):
        encode_varint(value)
