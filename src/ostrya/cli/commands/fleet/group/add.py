# SPDX-License-Identifier: Apache-2.0
"""``fleet group add``: make a group, and put devices into it.

A group that is there already gets more devices.
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
    """Make it."""
    if not arguments.positionals:
        raise context.usage_error("a NAME must be specified")
    name, *device_ids = arguments.positionals
    with open_server(arguments) as services:
        from ostrya.fleet.domain.groups import extend

        now = services.fleet.timestamp()
        count = services.fleet.database.write(
            lambda connection: extend(connection, name, device_ids, now)
        )
        write_line(f"{name} has {count} {'device' if count == 1 else 'devices'}")
    return 0
