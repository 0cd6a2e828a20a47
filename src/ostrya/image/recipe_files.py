# SPDX-License-Identifier: Apache-2.0
"""A recipe from the files that it is written in."""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ostrya.errors import FormatError, RepoError
from ostrya.image.board import board_names
from ostrya.image.errors import RecipeError
from ostrya.image.outputs.kinds import DELTA, parse_kind
from ostrya.image.recipe.check import Problem
from ostrya.image.recipe.keys import KEYS
from ostrya.image.recipe.located import MAX_RECIPE_BYTES
from ostrya.image.recipe.merge import apply_profiles, load_merged
from ostrya.image.recipe.read import examine_recipe
from ostrya.image.recipe.schema import Key, Kind
from ostrya.image.recipe.wks import parse_wks
from ostrya.repo.refs import resolve_rev
from ostrya.repo.repository import open_repository

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
        RecipeError: It cannot be read, or there is something wrong with it: all of that.
    """
    merged = load_merged(path, _read, _join)
    tree = apply_profiles(merged.tree, profiles)
    recipe, found = examine_recipe(tree, _join, merged.wrong)
    found += _missing_files(tree, tuple(key for key in KEYS if key.name not in merged.wrong), "")
    found += _unknown_board(tree, merged.wrong)
    if merged.wrong.isdisjoint({"outputs", "repository"}):
        found += _unknown_origins(tree, recipe)
    problems = [*merged.problems, *map(str, sorted(found))]
    if recipe.wks and os.path.exists(recipe.wks):
        try:
            wks = parse_wks(recipe.wks, _read, _join)
        except RecipeError as exc:
            problems += exc.problems
        else:
            recipe = recipe._replace(
                partitions=(*wks.partitions, *recipe.partitions),
                kernel_arguments=(*wks.kernel_arguments, *recipe.kernel_arguments),
            )
    if problems:
        raise RecipeError(tuple(problems))
    return recipe


def _unknown_board(tree: Located, wrong: frozenset[str]) -> Iterator[Problem]:
    board = tree.table().get("board")
    if board is None or "board" in wrong or "/" in str(board.value):
        return
    known = board_names()
    if board.value not in known:
        near = get_close_matches(str(board.value), known, 1)
        advice = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
        yield Problem(board.where, f"there is no board '{board.value}'; {advice}")


def _unknown_origins(tree: Located, recipe: Recipe) -> Iterator[Problem]:
    """Say from which releases no delta can lead."""
    outputs = tree.table().get("outputs")
    for item in [] if outputs is None else outputs.items():
        kind = parse_kind(str(item.value))
        if kind.base != DELTA:
            continue
        path = recipe.repository.path
        if not path:
            yield Problem(
                item.where,
                f"outputs: {item.value} needs [repository] with the path of where that release is",
            )
        elif not _has_release(path, kind.revision):
            yield Problem(item.where, f"outputs: {path} has no release {kind.revision}")


def _has_release(path: str, rev: str) -> bool:
    try:
        with open_repository(path) as repo:
            return resolve_rev(repo, rev, allow_noent=True) is not None
    except (RepoError, FormatError, FileNotFoundError):
        return False


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
