# SPDX-License-Identifier: Apache-2.0
"""Variant text, cut into tokens.

::

    number    begins with a digit, "+", "-" or ".": -1  0x2a  017  1.5e3  -inf
    word      letters and digits: true  just  uint32  inf
    string    'text'  "text"  b'bytes'  b"bytes"
    type      @a{sv}
    others    one character each

Places in error sentences count UTF-8 bytes from the start of the text.

Source: the GVariant Text Format of GLib's manual.
"""

from __future__ import annotations

from ostrya.formats.errors import GVariantError
from ostrya.named_tuple import NamedTuple

_BLANKS = " \t\n\v\f\r"


class Place(NamedTuple):
    """A part of the text, in characters."""

    start: int
    end: int


class TokenStream:
    """The text and how far it has been read.

    Attributes:
        text: The whole text.
        token: The next token; empty at the end.
        place: Where it stands.
        taken: Where the token before it ended.
    """

    __slots__ = ("place", "taken", "text", "token")

    def __init__(self, text: str) -> None:
        self.text = text
        self.token = ""
        self.place = Place(0, 0)
        self.taken = 0
        self.advance()

    def advance(self) -> str:
        """Take the next token."""
        taken = self.token
        text = self.text
        self.taken = start = self.place.end
        while text[start : start + 1] and text[start] in _BLANKS:
            start += 1
        end = _token_end(text, start)
        self.token = text[start:end]
        self.place = Place(start, end)
        return taken

    def consume(self, token: str) -> bool:
        """Take the next token if it is this one."""
        if self.token != token:
            return False
        self.advance()
        return True

    def require(self, token: str, purpose: str) -> None:
        """Take the next token.

        Raises:
            GVariantError: It is another one.
        """
        if not self.consume(token):
            raise self.error_here(f"expected '{token}'{purpose}")

    def error_here(self, message: str) -> GVariantError:
        """Make the error that refuses the next token, or the end."""
        return text_error(self.text, message, Place(self.place.start, self.place.start))


def text_error(text: str, message: str, *places: Place) -> GVariantError:
    """Make the error that refuses a text for what stands at some places in it."""
    shown = []
    for place in places:
        start, end = (len(text[:at].encode("utf-8")) for at in place)
        shown.append(str(start) if start == end else f"{start}-{end}")
    return GVariantError(f"{','.join(shown)}:{message}")


def _token_end(text: str, start: int) -> int:
    first = text[start : start + 1]
    if first in ("'", '"'):
        return _string_end(text, start, first)
    if first == "b" and text[start + 1 : start + 2] in ("'", '"'):
        return _string_end(text, start + 1, text[start + 1])
    if first == "@":
        return _type_end(text, start + 1)
    end = start + len(first)
    if not first.isascii():
        return end
    if first.isdigit() or first in ("-", "+", "."):
        while _is_alnum(text[end : end + 1]) or text[end : end + 1] in ("-", "+", "."):
            end += 1
    elif first.islower():
        while _is_alnum(text[end : end + 1]):
            end += 1
    return end


def _is_alnum(c: str) -> bool:
    return c.isascii() and c.isalnum()


def _string_end(text: str, start: int, quote: str) -> int:
    end = start + 1
    while end < len(text) and text[end] != quote:
        end += 2 if text[end] == "\\" else 1
    return min(end + 1, len(text))


def _type_end(text: str, end: int) -> int:
    # Up to a blank, a separator, or a bracket that the type did not open.
    open_brackets = 0
    while end < len(text) and text[end] not in ",:>]" and text[end] not in _BLANKS:
        if text[end] in "({":
            open_brackets += 1
        elif text[end] in ")}":
            if not open_brackets:
                break
            open_brackets -= 1
        end += 1
    return end
