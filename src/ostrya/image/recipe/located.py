# SPDX-License-Identifier: Apache-2.0
"""Values of a recipe, each with the file and line where it was written. Pure."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from ostrya.formats.toml_lines import toml_lines
from ostrya.image.errors import RecipeError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.formats.toml_lines import Place

_LINE = re.compile(r"(.*) \(at line (\d+), column \d+\)")
# What people write by hand is smaller, whatever it describes.
MAX_RECIPE_BYTES = 4 << 20


class Where(NamedTuple):
    """A place in a file.

    Attributes:
        file: Its path, as it is told to people.
        line: From 1.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Located(NamedTuple):
    """A value and where it was written.

    Attributes:
        value: A table or list of such values, or a text, number, truth value or time.
        where: The line of its key.
    """

    value: object
    where: Where

    def table(self) -> dict[str, Located]:
        """Return its keys; none if it is no table."""
        return self.value if isinstance(self.value, dict) else {}

    def items(self) -> list[Located]:
        """Return its items; none if it is no list."""
        return self.value if isinstance(self.value, list) else []


def parse_located(text: str, file: str) -> Located:
    """Parse a TOML document.

    Args:
        text: The document.
        file: What it is called in messages.

    Raises:
        RecipeError: It is none.
    """
    if len(text) > MAX_RECIPE_BYTES:
        raise RecipeError((f"{file}: this is too large for a recipe",))
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        told = _LINE.fullmatch(str(exc))
        if told is None:
            last = text.count("\n") + 1
            raise RecipeError((f"{file}:{last}: {_lower(str(exc))}",)) from None
        raise RecipeError((f"{file}:{told[2]}: {_lower(told[1])}",)) from None
    except RecursionError:
        raise RecipeError((f"{file}: this is nested too deeply",)) from None
    return _locate(found, (), file, toml_lines(text))


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _locate(value: object, place: Place, file: str, lines: dict[Place, int]) -> Located:
    if isinstance(value, dict):
        value = {key: _locate(one, (*place, key), file, lines) for key, one in value.items()}
    elif isinstance(value, list):
        value = [_locate(one, (*place, at), file, lines) for at, one in enumerate(value)]
    return Located(value, Where(file, lines[place]))
