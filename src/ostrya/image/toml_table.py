# SPDX-License-Identifier: Apache-2.0
"""Reading a table of TOML key by key, so that what nobody knows is an error and not passed over.

All that is wrong is gathered, each with its line, and told when everything was read.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from ostrya.formats.toml_lines import toml_lines
from ostrya.image.errors import BoardError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.formats.toml_lines import Place

_AT_LINE = re.compile(r"(.*) \(at line (\d+), column \d+\)")


class TomlDocument:
    """A document, and what is wrong with it.

    Attributes:
        top: Its first table.
    """

    def __init__(self, text: str, where: str) -> None:
        """Parse it.

        Args:
            text: TOML.
            where: What the file is called in messages.

        Raises:
            BoardError: It is none.
        """
        self._where = where
        self._problems: list[tuple[int, str]] = []
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as exc:
            found = _AT_LINE.fullmatch(str(exc))
            raise BoardError(
                f"{where}:{found[2]}: {found[1]}" if found else f"{where}: {exc}"
            ) from None
        self._lines = toml_lines(text)
        self.top = TomlTable(self, (), values)

    def add_problem(self, place: Place, message: str) -> None:
        """Note that something is wrong, there or in what it is in."""
        while place and place not in self._lines:
            place = place[:-1]
        problem = (self._lines.get(place, 1), message)
        if problem not in self._problems:
            self._problems.append(problem)

    def raise_any(self) -> None:
        """Tell what is wrong.

        Raises:
            BoardError: Something is.
        """
        if self._problems:
            lines = [f"{self._where}:{line}: {text}" for line, text in sorted(self._problems)]
            raise BoardError("\n".join(lines))


class TomlTable:
    """A table of TOML that is read key by key; what is left over is an error."""

    def __init__(self, document: TomlDocument, place: Place, values: Mapping[str, object]) -> None:
        """Begin to read.

        Args:
            document: What it is in.
            place: Where.
            values: What is in it.
        """
        self._document = document
        self._place = place
        self._values = dict(values)

    def problem(self, key: str, message: str) -> None:
        """Note that something is wrong.

        Args:
            key: Where; empty for the table as a whole.
            message: What.
        """
        self._document.add_problem((*self._place, key) if key else self._place, message)

    def _named(self, key: str) -> str:
        return ".".join([*(word for word in self._place if isinstance(word, str)), key])

    def _take(self, key: str, kind: type, default: object) -> object:
        value = self._values.pop(key, default)
        if value is None:
            self.problem(key, f"{self._named(key)} is missing")
        elif not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.problem(key, f"{self._named(key)} is no {_KINDS[kind]}")
        else:
            return value
        return kind()

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text."""
        return str(self._take(key, str, default))

    def number(self, key: str, default: int | None = None) -> int:
        """Return a whole number."""
        value = self._take(key, int, default)
        return value if isinstance(value, int) else 0

    def truth(self, key: str) -> bool:
        """Return a truth value; false where it is not said."""
        return bool(self._take(key, bool, default=False))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; empty where it is not said."""
        values = self._take(key, list, [])
        found = values if isinstance(values, list) else []
        if not all(isinstance(value, str) for value in found):
            self.problem(key, f"{self._named(key)} is no list of texts")
            return ()
        return tuple(found)

    def table(self, key: str) -> TomlTable | None:
        """Return a table in it; None where there is none."""
        if key not in self._values:
            return None
        value = self._take(key, dict, {})
        found = value if isinstance(value, dict) else {}
        return TomlTable(self._document, (*self._place, key), found)

    def tables(self, key: str) -> list[TomlTable]:
        """Return a list of tables in it."""
        values = self._take(key, list, [])
        found = values if isinstance(values, list) else []
        if not all(isinstance(value, dict) for value in found):
            self.problem(key, f"{self._named(key)} is no list of tables")
            return []
        return [
            TomlTable(self._document, (*self._place, key, at), value)
            for at, value in enumerate(found)
        ]

    def one_of(self, key: str, known: tuple[str, ...], default: str | None = None) -> str:
        """Return a text that is one of those that are known; empty if it is not."""
        is_said = isinstance(self._values.get(key, default), str)
        value = self.text(key, default)
        if is_said and value not in known:
            self.problem(key, f"{self._named(key)} is '{value}', not one of {', '.join(known)}")
        return value if value in known else ""

    def skip(self, *keys: str) -> None:
        """Pass over what cannot be judged."""
        for key in keys:
            self._values.pop(key, None)

    def end(self) -> None:
        """See that nothing is left that nobody knows."""
        for key in self._values:
            self.problem(key, f"nobody knows {self._named(key)}")


_KINDS = {str: "text", int: "number", bool: "truth value", list: "list", dict: "table"}
