# SPDX-License-Identifier: Apache-2.0
"""``fleet group remove``: take devices out of a group; without DEVICE, forget the group.

The devices themselves stay, and so does what they shall run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME [DEVICE...]"
OPTIONS = (DIR,)


def run(arguments: Arguments, context: Context) -> int:
    """Take them out."""
    if not arguments.positionals:
        raise context.usage_error("a NAME must be specified")
    name, *device_ids = arguments.positionals
    with open_server(arguments) as services:
        from ostrya.fleet.domain.groups import leave, remove

        services.fleet.database.write(
            lambda connection: (
                leave(connection, name, device_ids) if device_ids else remove(connection, name)
            )
        )
        for one in device_ids:
            write_line(f"{one} is in {name} no more")
        if not device_ids:
            write_line(f"there is no group {name} any more")
    return 0
