# SPDX-License-Identifier: Apache-2.0
"""Detached metadata."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.commitmeta import decode_commitmeta, encode_commitmeta


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what decodes must encode to the same bytes."""
    try:
        value = decode_commitmeta(data)
    except FormatError as exc:
        return exc
    assert encode_commitmeta(value) == data
    return value
