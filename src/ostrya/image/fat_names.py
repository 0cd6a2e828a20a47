# SPDX-License-Identifier: Apache-2.0
"""Names on FAT: a short one of eight and three characters, and entries for the long one. Pure.

Two names that differ in capitals only are the same name there.
"""

from __future__ import annotations

import struct

from ostrya.image.errors import LayoutError

_LONG = struct.Struct("<B10sBBB12sH4s")
_LONG_KIND = 0x0F
_UNITS = 13
_MOST_UNITS = 255
_SHORT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'()-@^_`{}~")
_NEVER = frozenset('"*/:<>?\\|')


class Names:
    """The names of one directory."""

    __slots__ = ("_long", "_short")

    def __init__(self) -> None:
        self._long: set[str] = set()
        self._short: set[bytes] = set()

    def add(self, name: str) -> None:
        """Note a name.

        Raises:
            LayoutError: It is there already.
        """
        if name.upper() in self._long:
            raise LayoutError(f"'{name}' is there twice: FAT takes capitals for the same letters")
        self._long.add(name.upper())

    def choose(self, stem: str, extension: str, *, exact: bool) -> bytes:
        """Return a short name that nothing else has.

        Args:
            stem: Up to eight characters.
            extension: Up to three.
            exact: Whether it is to be just that.
        """
        encoded = f"{stem:<8}{extension:<3}".encode()
        number = 0
        while not exact or encoded in self._short:
            number += 1
            tail = f"~{number}"
            encoded = f"{stem[: 8 - len(tail)] + tail:<8}{extension:<3}".encode()
            exact = True
        self._short.add(encoded)
        return encoded


def encode_name(name: str, names: Names) -> tuple[bytes, bytes]:
    """Return a short name, and the entries that come before its entry.

    Args:
        name: The name.
        names: What is in its directory; it is added.

    Raises:
        LayoutError: It cannot be a name, or is there already.
    """
    _check(name)
    names.add(name)
    stem, _, extension = name.rpartition(".") if "." in name.strip(".") else (name, "", "")
    is_short = _is_short(stem, 1, 8) and _is_short(extension, 0, 3) and not name.endswith(".")
    if is_short:
        return names.choose(stem, extension, exact=True), b""
    short = names.choose(_reduce(stem)[:6] or "_", _reduce(extension)[:3], exact=False)
    return short, _long_entries(name, _checksum(short))


def _check(name: str) -> None:
    is_bad = not name or name in (".", "..") or name[-1] in ". "
    if is_bad or any(char in _NEVER or ord(char) < 0x20 for char in name):
        raise LayoutError(f"'{name}' cannot be a name on FAT")
    if len(name.encode("utf-16-le")) // 2 > _MOST_UNITS:
        raise LayoutError(f"'{name}' is too long for FAT")


def _is_short(text: str, least: int, most: int) -> bool:
    return least <= len(text) <= most and all(char in _SHORT for char in text)


def _reduce(text: str) -> str:
    upper = text.upper()
    return "".join(char if char in _SHORT else "_" for char in upper if char not in " .")


def _checksum(short: bytes) -> int:
    total = 0
    for byte in short:
        total = ((total >> 1) + (total << 7) + byte) & 0xFF
    return total


def _long_entries(name: str, checksum: int) -> bytes:
    """Return the entries of a long name, its end first."""
    units = name.encode("utf-16-le")
    count = -(-len(units) // (2 * _UNITS))
    if len(units) < count * 2 * _UNITS:
        units = (units + b"\0\0").ljust(count * 2 * _UNITS, b"\xff")
    entries = []
    for number in range(count, 0, -1):
        part = units[(number - 1) * 2 * _UNITS : number * 2 * _UNITS]
        order = number | (0x40 if number == count else 0)
        entries.append(
            _LONG.pack(order, part[:10], _LONG_KIND, 0, checksum, part[10:22], 0, part[22:])
        )
    return b"".join(entries)
