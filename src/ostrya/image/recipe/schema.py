# SPDX-License-Identifier: Apache-2.0
"""How keys of a recipe are described. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Kind(StrEnum):
    """What a key takes, in the words of messages."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "true or false"
    TEXTS = "list of texts"
    TABLE = "table"
    TABLES = "list of tables"
    # Keys that the user chooses; the values are texts, numbers or truth values.
    MAPPING = "table of values"


def anything(_text: str) -> str:
    """Take every text."""
    return ""


class Key(NamedTuple):
    """A key.

    Attributes:
        name: What it is called.
        kind: What it takes.
        doc: What it means, in Markdown.
        default: What holds without it, as the documentation shows it.
        check: Given a text of it, says what is wrong; empty for nothing.
        choices: The texts that it takes; empty for any.
        required: Whether its table needs it.
        keys: Of a table, or of each table of a list.
        least: Of a number.
        most: Of a number.
        is_path: Whether it names a file beside the recipe.
    """

    name: str
    kind: Kind
    doc: str
    default: str = ""
    check: Callable[[str], str] = anything
    choices: tuple[str, ...] = ()
    required: bool = False
    keys: tuple[Key, ...] = ()
    least: int = 0
    most: int = (1 << 63) - 1
    is_path: bool = False


def text(name: str, doc: str, default: str = "", check: Callable[[str], str] = anything) -> Key:
    """Describe a text."""
    return Key(name, Kind.TEXT, doc, default, check)


def path(name: str, doc: str) -> Key:
    """Describe the path of a file, relative to the recipe that names it."""
    return Key(name, Kind.TEXT, doc, is_path=True)


def choice(name: str, doc: str, choices: tuple[str, ...], default: str = "") -> Key:
    """Describe one word of several."""
    return Key(name, Kind.TEXT, doc, default, choices=choices)


def truth(name: str, doc: str, default: str = "false") -> Key:
    """Describe a truth value."""
    return Key(name, Kind.TRUTH, doc, default)


def texts(name: str, doc: str, check: Callable[[str], str] = anything) -> Key:
    """Describe a list of texts."""
    return Key(name, Kind.TEXTS, doc, "[]", check)


def paths(name: str, doc: str) -> Key:
    """Describe a list of paths of files, relative to the recipe that names them."""
    return Key(name, Kind.TEXTS, doc, "[]", is_path=True)


def number(
    name: str, doc: str, default: str = "", *, least: int = 0, most: int = (1 << 63) - 1
) -> Key:
    """Describe a number."""
    return Key(name, Kind.NUMBER, doc, default, least=least, most=most)


def table(name: str, doc: str, keys: tuple[Key, ...]) -> Key:
    """Describe a table."""
    return Key(name, Kind.TABLE, doc, keys=keys)


def tables(name: str, doc: str, keys: tuple[Key, ...]) -> Key:
    """Describe a list of tables."""
    return Key(name, Kind.TABLES, doc, keys=keys)


def mapping(name: str, doc: str) -> Key:
    """Describe a table with keys of the user's choice."""
    return Key(name, Kind.MAPPING, doc)


def needed(key: Key) -> Key:
    """Say that a table needs a key."""
    return key._replace(required=True)
