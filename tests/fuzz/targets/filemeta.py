# SPDX-License-Identifier: Apache-2.0
"""Ownership of files in bare-user repositories."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.filemeta import decode_filemeta, encode_filemeta


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what decodes must encode to the same bytes."""
    try:
        value = decode_filemeta(data)
    except FormatError as exc:
        return exc
    assert encode_filemeta(value) == data
    return value
