# SPDX-License-Identifier: Apache-2.0
"""Lines of files for boot loaders, as libostree puts them together. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.errors import EntryInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.boot.bls import Entry


def join_lines(lines: Iterable[str]) -> str:
    """Return a text with one empty line at most, and none at its beginning."""
    text = ""
    had_empty = False
    for index, line in enumerate(lines):
        if not line:
            if index == 0 or had_empty:
                continue
            had_empty = True
        text += f"{line}\n"
    return text


def kernel_of(entry: Entry) -> str:
    """Return the path of an entry's kernel.

    Raises:
        EntryInvalid: It has none.
    """
    try:
        return entry.fields["linux"]
    except KeyError:
        raise EntryInvalid('No "linux" key in bootloader config') from None
