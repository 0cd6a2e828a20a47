# SPDX-License-Identifier: Apache-2.0
"""Variant text."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.text import format_variant, parse_variant


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Parse; what is printed of a value must parse to the same value."""
    try:
        value = parse_variant(data.decode("utf-8", "surrogateescape"))
    except FormatError as exc:
        exc.message.encode("utf-8")
        return exc
    text = format_variant(*value, annotate=True)
    again = parse_variant(text, value.type)
    assert encode_variant(*again) == encode_variant(*value)
    return value
