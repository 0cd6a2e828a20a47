# SPDX-License-Identifier: Apache-2.0
"""Tombstones."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.tombstone import decode_tombstone, encode_tombstone


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what decodes must encode to bytes that decode to the same."""
    try:
        value = decode_tombstone(data)
    except FormatError as exc:
        return exc
    assert decode_tombstone(encode_tombstone(value)) == value
    return value
