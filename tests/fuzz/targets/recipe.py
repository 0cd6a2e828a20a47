# SPDX-License-Identifier: Apache-2.0
"""Recipes, and with them all that is written in TOML."""

from __future__ import annotations

from ostrya.image.errors import RecipeError
from ostrya.image.recipe.check import find_missing
from ostrya.image.recipe.merge import load_merged
from ostrya.image.recipe.read import read_recipe


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Parse and check; lines are those of the document."""

    def read(path: str) -> str:
        if path != "r":
            raise FileNotFoundError(2, "No such file", path)
        return data.decode()

    def join(_file: str, name: str) -> str:
        return name

    try:
        found = load_merged("r", read, join)
        for problem in find_missing(found):
            assert 1 <= problem.where.line <= data.count(b"\n") + 1
        return read_recipe(found, join)
    except RecipeError as exc:
        return exc
