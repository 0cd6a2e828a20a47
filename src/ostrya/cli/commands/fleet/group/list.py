# SPDX-License-Identifier: Apache-2.0
"""``fleet group list``: which groups there are, and how many devices are in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (DIR,)


def run(arguments: Arguments, context: Context) -> int:
    """List them."""
    with open_server(arguments) as services:
        from ostrya.fleet.api import views
        from ostrya.fleet.db.groups import list_groups

        with services.fleet.database.read() as connection:
            found = list_groups(connection)
        if context.json:
            write_json({"groups": [views.group(one) for one in found]})
        else:
            for name, _, count in found:
                write_line(f"{name}  {count} {'device' if count == 1 else 'devices'}")
    return 0
