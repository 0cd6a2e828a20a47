# SPDX-License-Identifier: Apache-2.0
"""Sizes for people, as GLib's ``g_format_size`` writes them."""

from __future__ import annotations

_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")


def format_size(size_bytes: int) -> str:
    """Return a size in powers of ten: ``921 bytes``, ``1.2 kB``.

    As with GLib, a no-break space stands before a unit, an ordinary one before ``bytes``.
    """
    if size_bytes < 1000:
        return f"{size_bytes} {'byte' if size_bytes == 1 else 'bytes'}"
    power = 0
    while power < len(_UNITS) - 1 and size_bytes >= 1000 ** (power + 2):
        power += 1
    return f"{size_bytes / 1000 ** (power + 1):.1f}\N{NO-BREAK SPACE}{_UNITS[power]}"
