# SPDX-License-Identifier: Apache-2.0
"""``image import``: make a recipe of meta-updater's variables, as in Yocto's local.conf.

What became of each variable is told on stderr. The source has to be named in the recipe: it is the
root file system that Yocto has built, as tar.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ostrya.cli.commands.image.init import write_new
from ostrya.cli.options import flag, text
from ostrya.cli.output import write_line
from ostrya.image.errors import RecipeError
from ostrya.image.recipe.local_conf import import_local_conf
from ostrya.image.recipe.located import MAX_RECIPE_BYTES

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "FILE"
OPTIONS = (
    text("output", "FILE", "Where to; - for standard output; default: image.toml"),
    flag("force", "Replace a file that is there"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Make it."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("FILE must be specified")
    (path,) = arguments.positionals
    with open(path, "rb") as stream:
        data = stream.read(MAX_RECIPE_BYTES + 1)
    if len(data) > MAX_RECIPE_BYTES:
        raise RecipeError((f"{path}: this is too large for a configuration",))
    imported = import_local_conf(data.decode("utf-8", "replace"), path)
    output = arguments.text("output") or "image.toml"
    if output == "-":
        write_line(imported.recipe.rstrip("\n"))
    else:
        write_new(output, imported.recipe, force=arguments.flag("force"))
    for name, sentence in imported.told:
        print(f"{name}: {sentence}", file=sys.stderr)
    return 0
