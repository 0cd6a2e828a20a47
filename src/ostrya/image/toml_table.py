# SPDX-License-Identifier: Apache-2.0
"""Reading a table of TOML key by key, so that what nobody knows is an error and not passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.errors import BoardError

if TYPE_CHECKING:
    from collections.abc import Mapping


class TomlTable:
    """A table of TOML that is read key by key; what is left over is an error."""

    def __init__(self, where: str, path: str, values: Mapping[str, object]) -> None:
        """Begin to read.

        Args:
            where: What the file is called in messages.
            path: The table's own name with a dot behind it; empty for the whole file.
            values: What is in it.
        """
        self._where = where
        self._path = path
        self._values = dict(values)

    def _take(self, key: str, kind: type, default: object) -> object:
        value = self._values.pop(key, default)
        if value is None:
            raise BoardError(f"{self._where}: {self._path}{key} is missing")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise BoardError(f"{self._where}: {self._path}{key} is no {_KINDS[kind]}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text."""
        value = self._take(key, str, default)
        return str(value)

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
            raise BoardError(f"{self._where}: {self._path}{key} is no list of texts")
        return tuple(found)

    def table(self, key: str) -> TomlTable | None:
        """Return a table in it; None where there is none."""
        if key not in self._values:
            return None
        value = self._take(key, dict, {})
        return TomlTable(self._where, f"{key}.", value if isinstance(value, dict) else {})

    def tables(self, key: str) -> list[TomlTable]:
        """Return a list of tables in it."""
        values = self._take(key, list, [])
        found = values if isinstance(values, list) else []
        if not all(isinstance(value, dict) for value in found):
            raise BoardError(f"{self._where}: {self._path}{key} is no list of tables")
        return [TomlTable(self._where, f"{key}.", value) for value in found]

    def one_of(self, key: str, known: tuple[str, ...], default: str | None = None) -> str:
        """Return a text that is one of those that are known."""
        value = self.text(key, default)
        if value not in known:
            raise BoardError(
                f"{self._where}: {self._path}{key} is '{value}', not one of {', '.join(known)}"
            )
        return value

    def end(self) -> None:
        """See that nothing is left that nobody knows."""
        for key in self._values:
            raise BoardError(f"{self._where}: nobody knows {self._path}{key}")


_KINDS = {str: "text", int: "number", bool: "truth value", list: "list", dict: "table"}
