# SPDX-License-Identifier: Apache-2.0
"""``fleet device remove``: forget a device; its certificates are not trusted any more.

Its name and the serials of its ECUs are free then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "ID"
OPTIONS = (DIR,)


def run(arguments: Arguments, context: Context) -> int:
    """Remove it."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one ID must be specified")
    with open_server(arguments) as services:
        from ostrya.fleet.domain.devices import remove

        name, now = arguments.positionals[0], services.fleet.timestamp()
        services.fleet.database.write(lambda connection: remove(connection, name, now))
        write_line(f"{name} was removed")
    return 0
