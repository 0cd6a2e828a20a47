# SPDX-License-Identifier: Apache-2.0
"""Key files."""

from __future__ import annotations

from ostrya.errors import FormatError
from ostrya.formats.keyfile import KeyFile


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Parse; what is written has the same values, and is written the same once more."""
    try:
        value = KeyFile.decode(data)
    except FormatError as exc:
        return exc
    text = value.to_text()
    again = KeyFile.parse(text)
    assert again.to_text() == text
    ended: object = value
    for group in value.groups():
        for key in value.keys(group):
            assert again.get_value(group, key) == value.get_value(group, key)
            for get in (
                value.get_string,
                value.get_string_list,
                value.get_boolean,
                value.get_int,
                value.get_uint64,
            ):
                try:
                    get(group, key)
                except FormatError as exc:
                    ended = exc
    return ended
