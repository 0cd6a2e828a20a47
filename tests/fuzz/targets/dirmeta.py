# SPDX-License-Identifier: Apache-2.0
"""Metadata of directories."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.dirmeta import DirMeta


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what decodes must encode to the same bytes."""
    try:
        value = DirMeta.decode(data)
    except FormatError as exc:
        return exc
    assert value.encode() == data
    return value
