# SPDX-License-Identifier: Apache-2.0
"""``fleet backup``: copy a server into a new folder, while it may be running.

In the copy are settings, keys, both repositories with their images, and the database if it is
SQLite. Commits are not: `ostrya pull-local` copies the treehub. Who goes on from a copy says
`ostrya fleet recover` before `ostrya fleet serve`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.output import write_line, write_message

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "FOLDER"
OPTIONS = (DIR,)


def run(arguments: Arguments, context: Context) -> int:
    """Copy it."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one FOLDER must be specified")
    folder = arguments.positionals[0]
    with open_server(arguments) as services:
        from ostrya.fleet.domain.backup import write_backup

        has_database = write_backup(services, folder)
        write_line(f"{folder} holds the keys of the fleet: keep it as safe as the server")
        write_line(
            "Commits are not in it: ostrya pull-local"
            f" --repo={folder}/treehub {services.settings.path('treehub')}"
        )
        if not has_database:
            write_message("warning: the database is not in it: copy it with pg_dump")
    return 0
