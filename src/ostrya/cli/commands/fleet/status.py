# SPDX-License-Identifier: Apache-2.0
"""``fleet status``: how a server is, and what somebody has to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.output import write_json, write_line, write_message

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (DIR,)


def run(arguments: Arguments, context: Context) -> int:
    """Show it."""
    with open_server(arguments) as services:
        from ostrya.fleet.api import views
        from ostrya.fleet.domain.status import look

        found = look(services)
        if context.json:
            write_json(views.status(found))
            return 0
        write_line(f"{found.name}, at {found.gateway}")
        write_line(f"devices: {found.devices}, {found.seen_lately} of them seen in the last day")
        write_line(f"images: {found.images}")
        for state, count in sorted(found.assignments.items()):
            write_line(f"assignments {state}: {count}")
        for role, moment in found.expires.items():
            write_line(f"{role} expires {moment:%Y-%m-%dT%H:%M:%SZ}")
        for words in found.warnings:
            write_message(f"warning: {words}")
    return 0
