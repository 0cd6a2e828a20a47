# SPDX-License-Identifier: Apache-2.0
"""Recipes, and with them all that is written in TOML."""

from __future__ import annotations

from ostrya.image.errors import RecipeError
from ostrya.image.recipe.merge import load_merged
from ostrya.image.recipe.read import examine_recipe


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Parse and check; lines are those of the document."""

    def read(path: str) -> str:
        if path != "r":
            raise FileNotFoundError(2, "No such file", path)
        return data.decode()

    def join(_file: str, name: str) -> str:
        return name

    try:
        merged = load_merged("r", read, join)
        recipe, problems = examine_recipe(merged.tree, join, merged.wrong)
        for problem in problems:
            assert 1 <= problem.where.line <= data.count(b"\n") + 1
    except RecipeError as exc:
        return exc
    return recipe
