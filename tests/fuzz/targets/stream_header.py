# SPDX-License-Identifier: Apache-2.0
"""Headers of content streams."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.file_header import FileHeader


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what decodes must encode to the same bytes."""
    try:
        value = FileHeader.decode_stream(data)
    except FormatError as exc:
        return exc
    assert value.encode_stream()[8:] == data
    return value
