# SPDX-License-Identifier: Apache-2.0
"""``fleet targets add``: publish an image, where the keys of Targets are on the server.

NAME stands for the image for ever. It is a file, or with --commit a commit of the treehub.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.options import number, text, texts
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME [FILE]"
OPTIONS = (
    DIR,
    text("commit", "CHECKSUM", "It is a commit, not a file"),
    texts("hardware-id", "ID", "Kind of ECU that it is made for; may be given many times"),
    text("release", "VERSION", "Which release it is"),
    number("release-counter", "N", "No ECU goes back below it"),
    text("uri", "URL", "Where it is, if not at its usual place"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Publish it."""
    commit = arguments.text("commit")
    if len(arguments.positionals) != (2 if commit is None else 1):
        raise context.usage_error("NAME and FILE must be specified, or NAME and --commit")
    with open_server(arguments) as services:
        from ostrya.uptane.author.images import About

        about = About(
            tuple(arguments.texts("hardware-id")),
            version=arguments.text("release") or "",
            release_counter=arguments.number("release-counter"),
            uri=arguments.text("uri") or "",
        )
        name = arguments.positionals[0]
        source = arguments.positionals[1] if commit is None else commit
        services.images.add(name, source, about, services.fleet.now(), is_commit=commit is not None)
        write_line(f"{name} is published")
    return 0
