# SPDX-License-Identifier: Apache-2.0
"""``fleet token revoke``: withdraw all secrets and certificates of a tool."""

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
    """Withdraw them."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one NAME must be specified")
    with open_server(arguments) as services:
        from ostrya.fleet.api.owner import revoke_tokens

        revoke_tokens(services.fleet, arguments.positionals[0])
        write_line(f"{arguments.positionals[0]} may do nothing any more")
    return 0
