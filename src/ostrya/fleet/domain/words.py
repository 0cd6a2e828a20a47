# SPDX-License-Identifier: Apache-2.0
"""Text that strangers wrote, before it is kept."""

from __future__ import annotations


def plain(value: object, most: int = 500) -> str:
    """Return text that every database takes: bounded, and without the character 0."""
    if not isinstance(value, str):
        return ""
    return value[:most].replace("\0", "\ufffd")
