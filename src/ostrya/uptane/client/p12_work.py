# SPDX-License-Identifier: Apache-2.0
"""How much work a PKCS#12 asks for before anybody knows whether it is one. Pure.

A key is made of its password by so many rounds as the file says, which are billions if its maker
likes: hours, for a device that only wants to know who it is. Rounds stand behind a salt, wherever a
key is made: ``MacData``, ``PBEParameter`` and ``PBKDF2-params`` begin with, or end in, an OCTET
STRING and an INTEGER. So any such pair counts, also within OCTET STRINGs, which hold most of the
file. Lengths may be left open, as BER has it.

Source: RFC 7292, sections 4 and 5; RFC 8018, appendix A; ITU-T X.690, section 8.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_INTEGER, _OCTETS = 0x02, 0x04
_CONSTRUCTED, _LONG_TAG, _OPEN = 0x20, 0x1F, 0x80
_MAX_DEPTH = 32
_MAX_ELEMENTS = 200_000
ENDLESS = 1 << 64
"""More rounds than anybody waits for."""


class _Element(NamedTuple):
    tag: int
    content: bytes
    length: int


class _TooMuch(Exception):
    """There is more than a PKCS#12 has."""


def rounds_of(data: bytes) -> int:
    """Return how many rounds a PKCS#12 asks for, all in all.

    It is 0 for what is none, and ``ENDLESS`` for more than can be looked through.
    """
    try:
        return min(_Walk().rounds(data, 0), ENDLESS)
    except _TooMuch:
        return ENDLESS


class _Walk:
    """Looks through a file; each element costs, however often it is looked at."""

    def __init__(self) -> None:
        self._left = _MAX_ELEMENTS

    def rounds(self, data: bytes, depth: int) -> int:
        """Return the rounds that are asked for in elements that lie one after the other."""
        total, before = 0, 0
        for one in self._elements(data, depth):
            number = one.tag & ~_CONSTRUCTED
            if number == _INTEGER and before == _OCTETS:
                total += max(0, int.from_bytes(one.content, "big", signed=True))
            elif number == _OCTETS and one.tag & _CONSTRUCTED:
                pieces = (piece.content for piece in self._elements(one.content, depth + 1))
                total += self.rounds(b"".join(pieces), depth + 1)
            elif number == _OCTETS or one.tag & _CONSTRUCTED:
                total += self.rounds(one.content, depth + 1)
            before = number
        return total

    def _elements(self, data: bytes, depth: int) -> Iterator[_Element]:
        """Yield elements as far as there are any: what follows is nobody's."""
        at = 0
        while at + 2 <= len(data):
            self._left -= 1
            if self._left < 0 or depth > _MAX_DEPTH:
                raise _TooMuch
            found = self._element(data, at, depth)
            if found is None or (found.tag, found.content) == (0, b""):
                return
            yield found
            at += found.length

    def _element(self, data: bytes, at: int, depth: int) -> _Element | None:
        start = at + 1
        if data[at] & _LONG_TAG == _LONG_TAG:
            while start < len(data) and data[start] & _OPEN:
                start += 1
            start += 1
        if start >= len(data):
            return None
        length, start = data[start], start + 1
        if length == _OPEN:
            return self._open_element(data, at, start, depth)
        if length & _OPEN:
            digits = length & ~_OPEN
            length = int.from_bytes(data[start : start + digits], "big")
            start += digits
        if start + length > len(data):
            return None
        return _Element(data[at], data[start : start + length], start + length - at)

    def _open_element(self, data: bytes, at: int, start: int, depth: int) -> _Element | None:
        """Find the end of an element that does not say how long it is."""
        if not data[at] & _CONSTRUCTED:
            return None
        end = start
        for one in self._elements(data[start:], depth + 1):
            end += one.length
        return _Element(data[at], data[start:end], min(end + 2, len(data)) - at)
