# SPDX-License-Identifier: Apache-2.0
"""``fleet token add``: make a secret for a tool, and print it; nobody can read it again.

Requests carry it as `Authorization: Bearer SECRET`, or as the password of Basic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.options import text
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME"
OPTIONS = (
    DIR,
    text("may", "RIGHT", "push (the default), watch for /metrics, or admin for everything"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Make it."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one NAME must be specified")
    with open_server(arguments) as services:
        from ostrya.fleet.api.owner import make_token

        may = arguments.text("may") or "push"
        write_line(make_token(services.fleet, arguments.positionals[0], may))
    return 0
