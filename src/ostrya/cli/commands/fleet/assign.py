# SPDX-License-Identifier: Apache-2.0
"""``fleet assign``: say what a device shall run.

TARGET is the name of an image of the Image repository. It is meant for all ECUs of the device that
it is made for, or for those that --ecu names. The device hears of it when it asks the next time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.options import text, texts
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "DEVICE TARGET"
OPTIONS = (
    DIR,
    texts("ecu", "SERIAL", "Only for this ECU; may be given many times"),
    text("correlation-id", "ID", "What the update is called in all reports"),
    text("uri", "URL", "Where the image is, if not at its usual place"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Assign it."""
    if len(arguments.positionals) != 2:
        raise context.usage_error("DEVICE and TARGET must be specified")
    with open_server(arguments) as services:
        from ostrya.fleet.api import views
        from ostrya.fleet.domain.assignments import Wanted, assign

        device, target = arguments.positionals
        wanted = Wanted(
            device,
            target,
            tuple(arguments.texts("ecu")),
            arguments.text("correlation-id") or "",
            arguments.text("uri") or "",
        )
        images, now = services.images.all_images(), services.fleet.timestamp()
        added = services.fleet.database.write(
            lambda connection: assign(connection, wanted, images, now)
        )
        if context.json:
            write_json({"assignments": [views.assignment(one) for one in added]})
        else:
            for one in added:
                write_line(f"{one.ecu} shall run {one.target} ({one.correlation_id})")
    return 0
