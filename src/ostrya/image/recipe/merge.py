# SPDX-License-Identifier: Apache-2.0
"""Recipes that include others, and profiles, become one. Pure."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ostrya.image.errors import RecipeError
from ostrya.image.recipe.check import Problem, find_problems, wrong_sections
from ostrya.image.recipe.located import Located, Where, parse_located
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Merged(NamedTuple):
    """A recipe with all that it includes.

    Attributes:
        tree: Its values; where there is something wrong, they are not to be read.
        problems: What is wrong.
        wrong: Names at the top below which it is.
    """

    tree: Located
    problems: tuple[str, ...] = ()
    wrong: frozenset[str] = frozenset()


INCLUDE, REPLACE, PROFILE = "include", "replace", "profile"
_MOST_FILES = 100


def load_merged(file: str, read: Callable[[str], str], join: Callable[[str, str], str]) -> Merged:
    """Read a recipe with all that it includes.

    Args:
        file: Its path.
        read: Returns the text of a file; raises OSError or UnicodeDecodeError.
        join: Given a file and what it names, returns the path of that.

    Raises:
        RecipeError: They cannot be read.
    """
    loader = _Loader(read, join)
    found = loader.load(file, (), None)
    problems = tuple(map(str, loader.problems))
    if loader.unread:
        raise RecipeError(problems)
    return Merged(found, problems, frozenset(loader.wrong))


class _Loader:
    def __init__(self, read: Callable[[str], str], join: Callable[[str, str], str]) -> None:
        self._read = read
        self._join = join
        self._count = 0
        self.problems: list[Problem | str] = []
        self.wrong: set[str] = set()
        self.unread = False

    def load(self, file: str, above: tuple[str, ...], where: Where | None) -> Located:
        empty = Located({}, Where(file, 1))
        at = "" if where is None else f"{where}: "
        if file in above:
            circle = " includes ".join((*above[above.index(file) :], file))
            self.unread = True
            self.problems.append(f"{at}recipes include one another: {circle}")
            return empty
        self._count += 1
        if self._count > _MOST_FILES:
            raise RecipeError((f"{at}more than {_MOST_FILES} recipes are included",))
        try:
            found = parse_located(self._read(file), file)
        except OSError as exc:
            self.unread = True
            self.problems.append(f"{at}the recipe {file} cannot be read: {exc.strerror}")
            return empty
        except UnicodeDecodeError:
            self.unread = True
            self.problems.append(f"{at}the recipe {file} is no text in UTF-8")
            return empty
        except RecipeError as exc:
            self.unread = True
            self.problems += exc.problems
            return empty
        self.problems += find_problems(found)
        self.wrong |= wrong_sections(found)
        base = Located({}, found.where)
        included = found.table().get(INCLUDE)
        for item in [] if included is None else included.items():
            if isinstance(item.value, str) and item.value:
                name = self._join(file, item.value)
                base = combine(base, self.load(name, (*above, file), item.where))
        return combine(base, found)


def apply_profiles(recipe: Located, names: Sequence[str]) -> Located:
    """Return a recipe with some of its profiles over it.

    Raises:
        RecipeError: There is no such profile.
    """
    there = recipe.table().get(PROFILE)
    known = {} if there is None else there.table()
    for name in names:
        profile = known.get(name)
        if profile is None:
            near = get_close_matches(name, known, 1)
            advice = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
            raise RecipeError(
                (f"{recipe.where.file}: there is no profile '{name}'",),
                hint=advice if known else "[profile.NAME] describes one",
            )
        recipe = combine(recipe, profile)
    return Located(
        {key: value for key, value in recipe.table().items() if key != PROFILE}, recipe.where
    )


def combine(base: Located, over: Located) -> Located:
    """Lay one recipe over another: tables are joined, lists continued, all else is replaced."""
    replaced = over.table().get(REPLACE)
    for item in [] if replaced is None else replaced.items():
        if isinstance(item.value, str):
            base = _without(base, item.value.split("."))
    joined = _join_tables(base, over)
    table = {key: value for key, value in joined.table().items() if key not in {INCLUDE, REPLACE}}
    return Located(table, over.where)


def _without(table: Located, keys: list[str]) -> Located:
    found = dict(table.table())
    if len(keys) == 1:
        found.pop(keys[0], None)
    elif keys[0] in found:
        found[keys[0]] = _without(found[keys[0]], keys[1:])
    return Located(found, table.where)


def _join_tables(base: Located, over: Located) -> Located:
    found = dict(base.table())
    for key, value in over.table().items():
        before = found.get(key)
        found[key] = value if before is None else _join(before, value)
    return Located(found, over.where)


def _join(base: Located, over: Located) -> Located:
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        return _join_tables(base, over)
    if isinstance(base.value, list) and isinstance(over.value, list):
        items = list(base.value)
        for item in over.items():
            at = _same_name(items, item)
            if at is None:
                items.append(item)
            else:
                items[at] = _join_tables(items[at], item)
        return Located(items, over.where)
    return over


def _same_name(items: list[Located], wanted: Located) -> int | None:
    """Return which of them is a table of the same name."""
    named = wanted.table().get("name")
    if named is None:
        return None
    for at, item in enumerate(items):
        there = item.table().get("name")
        if there is not None and there.value == named.value:
            return at
    return None
