# SPDX-License-Identifier: Apache-2.0
"""What kernel modules say of themselves."""

from __future__ import annotations

from ostrya.image.errors import SourceError
from ostrya.image.steps.module_info import decode_module


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode; what is said is one line each, of what is in the file."""
    try:
        info = decode_module(data)
    except SourceError as exc:
        return exc
    for text in (*info.depends, *info.aliases, *info.softdeps):
        assert "\n" not in text
        assert "\0" not in text
    return info
