# SPDX-License-Identifier: Apache-2.0
"""Where each key of a TOML document is. Pure.

``tomllib`` says what is in a document, not where. This looks at one that ``tomllib`` has accepted,
and only for the places of keys and of items of lists::

    [source]            ("source",)             line 1
    kind = "tar"        ("source", "kind")      line 2
    [[users]]           ("users",), ("users", 0)
    groups = ["a",      ("users", 0, "groups"), ("users", 0, "groups", 0)
              "b"]      ("users", 0, "groups", 1)
"""

from __future__ import annotations

import re
import tomllib

Place = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LITERAL = re.compile(r"[^,\]}#\n]*")
# The longest first.
_STRINGS = (
    re.compile(r'"""(?:\\.|[^\\])*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\])*"'),
    re.compile(r"'[^']*'"),
)


def toml_lines(text: str) -> dict[Place, int]:
    """Return the line, from 1, of each key and item.

    Args:
        text: A document that ``tomllib`` accepts.
    """
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line, self._counted = 1, 0
        self._found: dict[Place, int] = {(): 1}
        # How many tables each list of tables has so far.
        self._counts: dict[Place, int] = {}

    def run(self) -> dict[Place, int]:
        base: Place = ()
        while self._skip(_BLANK) < len(self._text):
            if self._text.startswith("[[", self._at):
                base = self._header(2)
            elif self._text.startswith("[", self._at):
                base = self._header(1)
            else:
                self._pair(base)
        return self._found

    # -- moving on

    def _skip(self, what: re.Pattern[str]) -> int:
        found = what.match(self._text, self._at)
        self._at = self._at if found is None else found.end()
        return self._at

    def _take(self, what: re.Pattern[str]) -> str:
        begin = self._at
        return self._text[begin : self._skip(what)]

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _note(self, place: Place, line: int) -> None:
        for size in range(1, len(place) + 1):
            self._found.setdefault(place[:size], line)

    # -- what there is

    def _header(self, brackets: int) -> Place:
        line = self._here()
        self._at += brackets
        self._skip(_SPACE)
        place: Place = ()
        keys = self._keys()
        for number, key in enumerate(keys, 1):
            place = (*place, key)
            is_item = brackets == 2 and number == len(keys)
            if is_item:
                self._counts[place] = self._counts.get(place, 0) + 1
            if place in self._counts:
                self._note(place, line)
                # A table below a list belongs to its last item.
                place = (*place, self._counts[place] - 1)
        self._note(place, line)
        self._skip(_SPACE)
        self._at += brackets
        return place

    def _keys(self) -> list[str]:
        keys = [self._key()]
        while self._text.startswith(".", self._skip(_SPACE)):
            self._at += 1
            self._skip(_SPACE)
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        if self._text[self._at] in "\"'":
            quoted = self._string()
            return str(tomllib.loads(f"key = {quoted}")["key"])
        return self._take(_BARE_KEY)

    def _string(self) -> str:
        for pattern in _STRINGS:
            if pattern.match(self._text, self._at):
                return self._take(pattern)
        raise ValueError(f"no string at {self._at}")

    def _pair(self, base: Place) -> None:
        line = self._here()
        place = (*base, *self._keys())
        self._note(place, line)
        self._skip(_SPACE)
        self._at += 1
        self._skip(_SPACE)
        self._value(place)

    def _value(self, place: Place) -> None:
        begins = self._text[self._at]
        if begins == "[":
            self._list(place)
        elif begins == "{":
            self._inline_table(place)
        elif begins in "\"'":
            self._string()
        else:
            self._skip(_LITERAL)

    def _list(self, place: Place) -> None:
        self._at += 1
        number = 0
        while self._text[self._skip(_BLANK)] != "]":
            item = (*place, number)
            self._note(item, self._here())
            self._value(item)
            if self._text[self._skip(_BLANK)] == ",":
                self._at += 1
            number += 1
        self._at += 1

    def _inline_table(self, place: Place) -> None:
        self._at += 1
        while self._text[self._skip(_BLANK)] != "}":
            self._pair(place)
            if self._text[self._skip(_BLANK)] == ",":
                self._at += 1
        self._at += 1
