# SPDX-License-Identifier: Apache-2.0
"""Heads of files in archive repositories, prefix included."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.file_header import FileHeader, parse_prefix


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what decodes must encode to the same bytes."""
    try:
        length = parse_prefix(data[:8])
        value, size = FileHeader.decode_archive(data[8 : 8 + length])
    except FormatError as exc:
        return exc
    # The four bytes behind the length pad; nothing looks at them.
    assert value.encode_archive(size)[8:] == data[8 : 8 + length]
    assert FileHeader.decode_stream(value.encode_stream()[8:]) == value
    return value
