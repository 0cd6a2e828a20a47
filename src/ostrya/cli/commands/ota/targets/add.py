# SPDX-License-Identifier: Apache-2.0
"""``ota targets add``: stage an image of a new release, under a NAME that is its own for ever.

An image is a FILE, or with --commit an OSTree commit, which a treehub serves; without NAME it is
then called by what it is a release of and its checksum, as servers do. With --role it is staged
among the Targets of a role that is trusted with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import number, text, texts
from ostrya.cli.ota_author import DIR, KEYS, open_author, time_now
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "[NAME] [FILE]"
OPTIONS = (
    DIR,
    KEYS,
    text("commit", "CHECKSUM", "The image is this OSTree commit, and no FILE"),
    texts("hardware-id", "ID", "A kind of ECU that it is made for; may be repeated"),
    text("name", "NAME", "Of what it is a release; default: NAME"),
    text("release", "VERSION", "Which release it is"),
    number("release-counter", "N", "No ECU goes back to a release with a lower one"),
    text("uri", "URL", "Where it is, if not at its usual place"),
    text("role", "NAME", "Who says it; default: Targets themselves"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Stage it."""
    from ostrya.uptane.author.images import About, add_commit, add_file

    work = open_author(arguments)
    about = About(
        tuple(arguments.texts("hardware-id")),
        arguments.text("name") or "",
        arguments.text("release") or "",
        arguments.number("release-counter"),
        arguments.text("uri") or "",
        arguments.text("role") or "",
    )
    given = arguments.positionals
    commit = arguments.text("commit")
    if commit is None:
        if len(given) != 2:
            raise context.usage_error("a NAME and a FILE must be specified, or --commit")
        name = given[0]
        add_file(work, name, given[1], about, time_now())
    else:
        if len(given) > 1 or not (given or about.name):
            raise context.usage_error("with --commit, a NAME or --name must be specified")
        name = given[0] if given else f"{about.name}-{commit}"
        add_commit(work, name, commit, about, time_now())
    write_line(name)
    return 0
