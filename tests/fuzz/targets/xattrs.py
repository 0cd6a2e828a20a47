# SPDX-License-Identifier: Apache-2.0
"""Extended attributes."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.xattrs import decode_xattrs, encode_xattrs


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what decodes must encode to the same bytes."""
    try:
        value = decode_xattrs(data)
    except FormatError as exc:
        return exc
    assert encode_xattrs(value) == data
    return value
