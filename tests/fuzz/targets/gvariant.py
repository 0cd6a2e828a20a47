# SPDX-License-Identifier: Apache-2.0
"""Variants of any type: the type, NUL, the bytes."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.text import format_variant


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what decodes must encode to the same bytes."""
    try:
        type_string, _, body = data.partition(b"\0")
        name = type_string.decode("latin-1")
        value = decode_variant(name, body)
    except FormatError as exc:
        return exc
    assert encode_variant(name, value) == body
    format_variant(name, value, annotate=True)
    decode_variant(name, body, byteorder="big")
    return value
