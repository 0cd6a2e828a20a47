# SPDX-License-Identifier: Apache-2.0
"""All that is wrong with a recipe, each with its file and line. Pure."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ostrya.image.recipe.keys import KEYS
from ostrya.image.recipe.schema import Key, Kind
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.image.recipe.located import Located, Where

_PROFILE = "profile"
# What belongs to a file, not to a profile of it.
_OF_FILES = frozenset({"include", _PROFILE})
_SHOWN = 60


class Problem(NamedTuple):
    """Something that is wrong.

    Attributes:
        where: Where it was written.
        message: What it is.
    """

    where: Where
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def find_problems(recipe: Located, keys: tuple[Key, ...] = KEYS) -> list[Problem]:
    """Return what is wrong with keys and values of one file, in the order of its lines."""
    problems = list(_table(recipe, keys, ""))
    profiles = recipe.table().get(_PROFILE)
    if profiles is not None:
        keys = tuple(key for key in keys if key.name not in _OF_FILES)
        for name, profile in profiles.table().items():
            path = f"{_PROFILE}.{name}"
            if not isinstance(profile.value, dict):
                problems.append(_wrong_kind(profile, Kind.TABLE, path))
            problems += _table(profile, keys, path)
    return sorted(problems, key=lambda one: one.where)


def wrong_sections(recipe: Located, keys: tuple[Key, ...] = KEYS) -> frozenset[str]:
    """Return what is not to be read any further: names at the top that have something wrong."""
    known = {key.name: key for key in keys}
    found = {
        name
        for name, value in recipe.table().items()
        if name != _PROFILE and name in known and any(_value(value, known[name], name))
    }
    profiles = recipe.table().get(_PROFILE)
    for profile in [] if profiles is None else profiles.table().values():
        found |= wrong_sections(profile, keys)
    return frozenset(found)


def find_missing(recipe: Located, keys: tuple[Key, ...] = KEYS, path: str = "") -> list[Problem]:
    """Return what a recipe lacks that needs it; of one that is whole, with all its files."""
    missing = []
    found = recipe.table()
    for key in keys:
        below = _joined(path, key.name)
        value = found.get(key.name)
        if value is None:
            if key.required:
                missing.append(Problem(recipe.where, f"{below} is missing"))
        elif key.kind is Kind.TABLE and key.name != _PROFILE:
            missing += find_missing(value, key.keys, below)
        elif key.kind is Kind.TABLES:
            for item in value.items():
                missing += find_missing(item, key.keys, below)
    return missing


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _table(table: Located, keys: tuple[Key, ...], path: str) -> Iterator[Problem]:
    known = {key.name: key for key in keys}
    for name, value in table.table().items():
        key = known.get(name)
        if key is None:
            yield Problem(value.where, _unknown(name, path, known))
        else:
            yield from _value(value, key, _joined(path, name))


def _unknown(name: str, path: str, known: dict[str, Key]) -> str:
    place = f" in [{path}]" if path else ""
    # Of a name that is only too long or too short, too: `ssh_key` for `ssh_keys`.
    near = get_close_matches(name.lower().replace("-", "_"), known, 1)
    advice = f"; did you mean '{near[0]}'?" if near else f"; known are {', '.join(sorted(known))}"
    return f"nobody knows the key '{name}'{place}{advice}"


def _value(value: Located, key: Key, path: str) -> Iterator[Problem]:
    if not _is_of_kind(value.value, key.kind):
        yield _wrong_kind(value, key.kind, path)
        return
    look = _LOOKS.get(key.kind)
    if look is not None:
        yield from look(value, key, path)


def _one_table(value: Located, key: Key, path: str) -> Iterator[Problem]:
    # What is in a profile is checked with the keys of a recipe.
    return iter(()) if key.name == _PROFILE else _table(value, key.keys, path)


def _many_tables(value: Located, key: Key, path: str) -> Iterator[Problem]:
    for item in value.items():
        if isinstance(item.value, dict):
            yield from _table(item, key.keys, path)
        else:
            yield _wrong_kind(item, Kind.TABLE, path)


def _many_texts(value: Located, key: Key, path: str) -> Iterator[Problem]:
    for item in value.items():
        yield from _text(item, key, path)


def _mapping(value: Located, _key: Key, path: str) -> Iterator[Problem]:
    for name, item in value.table().items():
        if not isinstance(item.value, str | int):
            yield Problem(item.where, f"{path}.{name} is neither text nor number nor truth value")


def _is_of_kind(value: object, kind: Kind) -> bool:
    if kind is Kind.TEXT:
        return isinstance(value, str)
    if kind is Kind.NUMBER:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is Kind.TRUTH:
        return isinstance(value, bool)
    return isinstance(value, list if kind in {Kind.TEXTS, Kind.TABLES} else dict)


def _wrong_kind(value: Located, kind: Kind, path: str) -> Problem:
    article = "" if kind in {Kind.TRUTH, Kind.TEXT} else "a "
    return Problem(value.where, f"{path} is {_described(value.value)}, not {article}{kind}")


def _described(value: object) -> str:
    names: tuple[tuple[type, str], ...] = (
        (str, "text"), (bool, "a truth value"), (int, "a number"), (float, "a fraction"),
        (list, "a list"), (dict, "a table"),
    )  # fmt: skip
    return next((name for kind, name in names if isinstance(value, kind)), "a time")


def _text(value: Located, key: Key, path: str) -> Iterator[Problem]:
    text = value.value
    if not isinstance(text, str):
        yield _wrong_kind(value, Kind.TEXT, path)
        return
    shown = repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
    if "\0" in text:
        yield Problem(value.where, f"{path} has a zero byte in it")
    elif key.choices and text not in key.choices:
        near = get_close_matches(text, key.choices, 1)
        advice = f"; did you mean '{near[0]}'?" if near else ""
        yield Problem(
            value.where, f"{path} is {shown}, not one of {', '.join(key.choices)}{advice}"
        )
    elif complaint := key.check(text):
        yield Problem(value.where, f"{path}: {shown} is {complaint}")
    elif key.is_path and not text:
        yield Problem(value.where, f"{path} is empty")


def _number(value: Located, key: Key, path: str) -> Iterator[Problem]:
    found = value.value
    if isinstance(found, int) and not key.least <= found <= key.most:
        limits = f"from {key.least} to {key.most}"
        yield Problem(value.where, f"{path} is {found}, not {limits}")


_LOOKS = {
    Kind.TABLE: _one_table,
    Kind.TABLES: _many_tables,
    Kind.TEXTS: _many_texts,
    Kind.MAPPING: _mapping,
    Kind.NUMBER: _number,
    Kind.TEXT: _text,
}
