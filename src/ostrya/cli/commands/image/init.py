# SPDX-License-Identifier: Apache-2.0
"""``image init``: write a recipe to begin with, with a word about everything in it.

`ostrya image build RECIPE` makes an image of it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.cli.options import flag, text
from ostrya.cli.output import write_line
from ostrya.errors import ImageError
from ostrya.image.board import load_board
from ostrya.image.recipe import formats
from ostrya.image.recipe.example import example_recipe

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "[BOARD]"
OPTIONS = (
    text("output", "FILE", "Where to; - for standard output; default: image.toml"),
    text("name", "NAME", "What the image is called; default: os"),
    text("rootfs", "PATH", "The root file system; default: rootfs.tar"),
    flag("force", "Replace a file that is there"),
)
_DEFAULT_BOARD = "qemu-x86_64"


def run(arguments: Arguments, context: Context) -> int:
    """Write it."""
    if len(arguments.positionals) > 1:
        raise context.usage_error("only one BOARD may be given")
    board = arguments.positionals[0] if arguments.positionals else _DEFAULT_BOARD
    load_board(board)
    name = arguments.text("name") or "os"
    if complaint := formats.name(name):
        raise context.usage_error(f"--name: '{name}' is {complaint}")
    path = arguments.text("output") or "image.toml"
    source = arguments.text("rootfs") or "rootfs.tar"
    recipe = example_recipe(board, name=name, source=source, file=os.path.basename(path))
    if path == "-":
        write_line(recipe.rstrip("\n"))
        return 0
    write_new(path, recipe, force=arguments.flag("force"))
    write_line(f"wrote {path}; ostrya image build {path} makes an image of it")
    return 0


def write_new(path: str, recipe: str, *, force: bool) -> None:
    """Write a recipe.

    Raises:
        ImageError: There is a file already.
        OSError: It cannot be written.
    """
    try:
        with open(path, "w" if force else "x", encoding="utf-8") as stream:
            stream.write(recipe)
    except FileExistsError:
        raise ImageError(f"{path} is there already", hint="--force replaces it") from None
