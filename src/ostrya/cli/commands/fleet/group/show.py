# SPDX-License-Identifier: Apache-2.0
"""``fleet group show``: which devices are in a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME"
OPTIONS = (DIR,)


def run(arguments: Arguments, context: Context) -> int:
    """List them."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one NAME must be specified")
    name = arguments.positionals[0]
    with open_server(arguments) as services:
        from ostrya.fleet.domain.groups import members

        with services.fleet.database.read() as connection:
            found = members(connection, name)
        if context.json:
            write_json({"name": name, "devices": list(found)})
        else:
            for one in found:
                write_line(one)
    return 0
