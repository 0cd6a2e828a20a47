# SPDX-License-Identifier: Apache-2.0
"""``fleet cancel``: take back what a device shall run.

A device that has begun goes on until it asks again; what it installed it reports all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.options import texts
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "DEVICE"
OPTIONS = (DIR, texts("ecu", "SERIAL", "Only for this ECU; may be given many times"))


def run(arguments: Arguments, context: Context) -> int:
    """Take it back."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one DEVICE must be specified")
    with open_server(arguments) as services:
        from ostrya.fleet.api import views
        from ostrya.fleet.domain.assignments import cancel

        now, ecus = services.fleet.timestamp(), arguments.texts("ecu")
        found = services.fleet.database.write(
            lambda connection: cancel(connection, arguments.positionals[0], ecus, now)
        )
        if context.json:
            write_json({"assignments": [views.assignment(one) for one in found]})
        else:
            for one in found:
                write_line(f"{one.ecu} need not run {one.target} any more")
    return 0
