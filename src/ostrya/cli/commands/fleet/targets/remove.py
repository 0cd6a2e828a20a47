# SPDX-License-Identifier: Apache-2.0
"""``fleet targets remove``: publish that there is an image no more.

Its file stays for those who still fetch it. Devices that shall run it refuse it from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME"
OPTIONS = (DIR,)


def run(arguments: Arguments, context: Context) -> int:
    """Take it out."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one NAME must be specified")
    with open_server(arguments) as services:
        services.images.remove(arguments.positionals[0], services.fleet.now())
        write_line(f"{arguments.positionals[0]} is published no more")
    return 0
