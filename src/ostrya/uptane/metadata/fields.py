# SPDX-License-Identifier: Apache-2.0
"""The fields of a JSON object, taken one after the other; what nobody takes is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ostrya.uptane.errors import MetadataInvalid

if TYPE_CHECKING:
    from ostrya.uptane.metadata.json_text import Json, Object

_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_TIME_LENGTH = 20
MAX_VERSION = (1 << 31) - 1


class Fields:
    """An object that is being read.

    Attributes:
        where: What it is, for errors.
    """

    __slots__ = ("_rest", "where")

    def __init__(self, value: Json, where: str) -> None:
        """Begin with an object.

        Raises:
            MetadataInvalid: It is none.
        """
        if not isinstance(value, dict):
            raise MetadataInvalid(f"{where} is no object")
        self.where = where
        self._rest = dict(value)

    def has(self, key: str) -> bool:
        """Say whether a field is there that was not taken yet."""
        return key in self._rest

    def take(self, key: str) -> Json:
        """Take a field as it is.

        Raises:
            MetadataInvalid: There is none.
        """
        if key not in self._rest:
            raise MetadataInvalid(f"{self.where} has no {key!r}")
        return self._rest.pop(key)

    def text(self, key: str) -> str:
        """Take text."""
        value = self.take(key)
        if not isinstance(value, str):
            raise self.wrong(key, "no text")
        return value

    def integer(self, key: str, minimum: int = 0, maximum: int = (1 << 63) - 1) -> int:
        """Take an integer within bounds."""
        value = self.take(key)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(key, "no integer")
        if not minimum <= value <= maximum:
            raise self.wrong(key, f"{value}, not from {minimum} to {maximum}")
        return value

    def boolean(self, key: str) -> bool:
        """Take a truth value."""
        value = self.take(key)
        if not isinstance(value, bool):
            raise self.wrong(key, "neither true nor false")
        return value

    def mapping(self, key: str) -> Object:
        """Take an object."""
        value = self.take(key)
        if not isinstance(value, dict):
            raise self.wrong(key, "no object")
        return value

    def array(self, key: str, most: int) -> list[Json]:
        """Take a list of at most so many values."""
        value = self.take(key)
        if not isinstance(value, list):
            raise self.wrong(key, "no list")
        if len(value) > most:
            raise self.wrong(key, f"a list of more than {most}")
        return value

    def texts(self, key: str, most: int) -> tuple[str, ...]:
        """Take a list of different texts."""
        value = self.array(key, most)
        found = [one for one in value if isinstance(one, str)]
        if len(found) != len(value):
            raise self.wrong(key, "a list of other things than text")
        if len(set(found)) != len(found):
            raise self.wrong(key, "a list that says something twice")
        return tuple(found)

    def time(self, key: str) -> datetime:
        """Take a moment: 2026-11-30T12:00:00Z, in UTC, without fractions."""
        return parse_time(self.text(key), f"{key!r} of {self.where}")

    def rest(self) -> Object:
        """Return what was not taken."""
        return self._rest

    def wrong(self, key: str, how: str) -> MetadataInvalid:
        """Return the error that a field is not what it has to be."""
        return MetadataInvalid(f"{key!r} of {self.where} is {how}")


def parse_time(text: str, what: str) -> datetime:
    """Parse a moment.

    Raises:
        MetadataInvalid: It is none, or not spelled in the one way.
    """
    try:
        if len(text) != _TIME_LENGTH or not text.isascii():
            raise ValueError
        return datetime.strptime(text, _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise MetadataInvalid(
            f"{what} is {text[:40]!r}, and no time like 2026-11-30T12:00:00Z"
        ) from None


def format_time(moment: datetime) -> str:
    """Return a moment as metadata spells it; fractions of a second are dropped."""
    utc = moment.astimezone(UTC)
    # strftime does not fill years below 1000 up with noughts.
    return f"{utc.year:04}{utc.strftime('-%m-%dT%H:%M:%SZ')}"
