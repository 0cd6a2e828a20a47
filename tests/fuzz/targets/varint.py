# SPDX-License-Identifier: Apache-2.0
"""LEB128 integers, one after the other."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.varint import decode_varint, encode_varint


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode all; what is written again has the same values, and is not longer."""
    try:
        at = 0
        values = []
        data = data[:64]
        while at < len(data):
            value, after = decode_varint(data, at)
            assert at < after <= at + 10
            assert len(encode_varint(value)) <= after - at
            values.append(value)
            at = after
    except FormatError as exc:
        return exc
    assert all(decode_varint(encode_varint(value))[0] == value for value in values)
    return values
