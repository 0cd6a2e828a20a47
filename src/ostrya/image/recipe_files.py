# SPDX-License-Identifier: Apache-2.0
"""A recipe from the files that it is written in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.image.errors import RecipeError
from ostrya.image.recipe.check import Problem
from ostrya.image.recipe.keys import KEYS
from ostrya.image.recipe.located import MAX_RECIPE_BYTES
from ostrya.image.recipe.merge import apply_profiles, load_merged
from ostrya.image.recipe.read import read_recipe
from ostrya.image.recipe.schema import Key, Kind
from ostrya.image.recipe.wks import parse_wks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostrya.image.recipe.located import Located
    from ostrya.image.recipe.values import Recipe


# Made where they are not there yet.
_MAY_BE_MISSING = frozenset({"repository.path"})


def load_recipe(path: str, profiles: Sequence[str] = ()) -> Recipe:
    """Read a recipe with what it includes.

    Args:
        path: Its file.
        profiles: Which of its profiles are laid over it, in this order.

    Raises:
        RecipeError: It cannot be read, or there is something wrong with it.
    """
    tree = apply_profiles(load_merged(path, _read, _join), profiles)
    missing = sorted(_missing_files(tree, KEYS, ""))
    recipe = read_recipe(tree, _join)
    if missing:
        raise RecipeError(tuple(map(str, missing)))
    if recipe.wks:
        partitions = parse_wks(_read(recipe.wks), recipe.wks)
        recipe = recipe._replace(partitions=(*partitions, *recipe.partitions))
    return recipe


def _read(path: str) -> str:
    with open(path, "rb") as stream:
        # One more than is allowed: who parses it will say so.
        return stream.read(MAX_RECIPE_BYTES + 1).decode()


def _join(file: str, name: str) -> str:
    return os.path.normpath(os.path.join(os.path.dirname(file), os.path.expanduser(name)))


def _missing_files(table: Located, keys: tuple[Key, ...], path: str) -> Iterator[Problem]:
    """Say which files that are named are not there."""
    for key in keys:
        found = table.table().get(key.name)
        if found is None:
            continue
        below = f"{path}.{key.name}" if path else key.name
        if key.kind is Kind.TABLE:
            yield from _missing_files(found, key.keys, below)
        elif key.kind is Kind.TABLES:
            for item in found.items():
                yield from _missing_files(item, key.keys, below)
        elif key.is_path and below not in _MAY_BE_MISSING:
            for item in found.items() if key.kind is Kind.TEXTS else [found]:
                name = _join(item.where.file, str(item.value))
                if not os.path.exists(name):
                    yield Problem(item.where, f"{below}: there is no {name}")
