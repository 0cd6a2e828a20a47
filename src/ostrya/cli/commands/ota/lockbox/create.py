# SPDX-License-Identifier: Apache-2.0
"""``ota lockbox create``: what devices need to update themselves without a network, on a medium.

The Director of --director signs that the IMAGEs of --dir may be installed so; they and all metadata
are written to DIRECTORY, a USB stick say. OSTree commits are copied from the repository of --repo.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.cli.options import text
from ostrya.cli.ota_author import DIR, KEYS, open_author, time_now
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME DIRECTORY IMAGE…"
OPTIONS = (
    DIR,
    text("director", "DIR", "The folder that the Director is kept in"),
    KEYS,
    text("repo", "PATH", "Where OSTree commits are"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Sign and write it."""
    from ostrya.uptane.author.lockbox import Sources, create_lockbox
    from ostrya.uptane.author.lockbox_commits import copy_commits, require_commits
    from ostrya.uptane.author.workplace import open_workplace

    director = arguments.text("director")
    if len(arguments.positionals) < 3 or director is None:
        raise context.usage_error("--director, NAME, DIRECTORY and one IMAGE must be specified")
    name, target, *images = arguments.positionals
    sources = Sources(open_author(arguments), open_workplace(director, arguments.texts("keys")))
    repo = arguments.text("repo")
    require_commits(sources.images, images, repo)
    made = create_lockbox(sources, name, images, target, time_now())
    if made.commits and repo is not None:
        copy_commits(repo, made.commits, os.path.join(target, "ostree"))
    for file in made.files:
        write_line(file)
    return 0
