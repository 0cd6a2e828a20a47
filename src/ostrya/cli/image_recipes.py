# SPDX-License-Identifier: Apache-2.0
"""Building an image of a recipe, for ``image build``."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import remove_tree
from ostrya.cli.environment import parse_source_date_epoch
from ostrya.cli.output import write_json, write_line
from ostrya.errors import ImageError
from ostrya.image.board import load_board
from ostrya.image.cache import Cache
from ostrya.image.pipeline import Pipeline
from ostrya.image.recipe_files import load_recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.image.board import Board
    from ostrya.image.pipeline import Built, Step
    from ostrya.image.recipe.values import Recipe

# What a recipe says itself.
_OF_OPTIONS = ("rootfs", "output", "firmware", "ref", "repo", "os-version", "os", "size")


def build_of_recipe(arguments: Arguments, context: Context) -> int:
    """Build an image of the recipe that the arguments name."""
    if len(arguments.positionals) > 1:
        raise context.usage_error("only one RECIPE may be given")
    given = [name for name in _OF_OPTIONS if arguments.text(name) is not None]
    if given or arguments.texts("karg") or arguments.texts("remote") or arguments.flag("no-verify"):
        what = f"--{given[0]}" if given else "--karg, --remote and --no-verify"
        raise context.usage_error(f"{what}: a recipe says that itself")
    recipe = load_recipe(arguments.positionals[0], arguments.texts("profile"))
    board = _board(arguments, recipe)
    folder = arguments.text("output-dir") or "."
    tell = (lambda _line: None) if context.json else write_line
    with _cache(arguments, context, folder) as cache:
        pipeline = Pipeline(
            recipe,
            board,
            cache,
            timestamp=_timestamp(context),
            tell=tell,
            progress=context.progress(),
        )
        if arguments.flag("dry-run"):
            _show_steps(pipeline.plan(), context)
            return 0
        built = pipeline.run(folder)
    if context.json:
        write_json(_describe(built, board))
    return 0


def _board(arguments: Arguments, recipe: Recipe) -> Board:
    name = arguments.text("board")
    if name is None and "/" in recipe.board:
        name = os.path.join(os.path.dirname(recipe.file), recipe.board)
    name = name or recipe.board
    if not name:
        raise ImageError(
            f"{recipe.file} names no board", hint='board = "NAME" in it, or --board, names one'
        )
    return load_board(name)


def _timestamp(context: Context) -> int | None:
    given = context.environment.source_date_epoch
    return None if given is None else parse_source_date_epoch(given)


@contextmanager
def _cache(arguments: Arguments, context: Context, folder: str) -> Iterator[Cache]:
    path = arguments.text("cache") or _default_cache(context)
    if path and not arguments.flag("no-cache"):
        os.makedirs(path, mode=0o700, exist_ok=True)
        yield Cache(os.path.abspath(path))
        return
    os.makedirs(folder, exist_ok=True)
    path = tempfile.mkdtemp(prefix=".ostrya-cache-", dir=os.path.abspath(folder))
    try:
        yield Cache(path, keeps=False)
    finally:
        remove_tree(path)
        # One that was made for nothing; if there is something in it, it stays.
        with suppress(OSError):
            os.rmdir(folder)


def _default_cache(context: Context) -> str:
    environment = context.environment
    if environment.cache_home:
        return f"{environment.cache_home}/ostrya/images"
    return f"{environment.home}/.cache/ostrya/images" if environment.home else ""


def _show_steps(steps: tuple[Step, ...], context: Context) -> None:
    if context.json:
        write_json({"steps": [step._asdict() for step in steps]})
        return
    words = {True: "cached", False: "to be done", None: "depends on the steps before"}
    for step in steps:
        write_line(f"{step.name:10} {step.what} ({words[step.cached]})")


def _describe(built: Built, board: Board) -> dict[str, object]:
    return {
        "commit": str(built.commit),
        "is_new": built.is_new,
        "kernel": built.kver,
        "board": board.name,
        "decisions": list(built.decisions),
        "report": [one._asdict() for one in built.report],
        "reused": list(built.reused),
        "outputs": [
            {
                "kind": one.kind,
                "path": one.path,
                "size": one.size_bytes,
                "sha256": one.sha256,
            }
            for one in built.outputs
        ],
        "partitions": [
            {
                "number": number,
                "name": one.name,
                "guid": str(one.guid),
                "first": one.first,
                "sectors": one.sectors,
            }
            for number, one in enumerate(built.plan.partitions, 1)
        ],
    }
