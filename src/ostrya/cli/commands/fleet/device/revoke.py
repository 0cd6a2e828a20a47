# SPDX-License-Identifier: Apache-2.0
"""``fleet device revoke``: trust the certificates of a device no more; what is known of it stays.

`ostrya fleet device add --renew` gives it another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.options import text
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "ID"
OPTIONS = (DIR, text("reason", "WORDS", "Why, which the device is told"))


def run(arguments: Arguments, context: Context) -> int:
    """Revoke them."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one ID must be specified")
    with open_server(arguments) as services:
        from ostrya.fleet.domain.devices import revoke

        name, now = arguments.positionals[0], services.fleet.timestamp()
        reason = arguments.text("reason") or "the owner said so"
        count = services.fleet.database.write(
            lambda connection: revoke(connection, name, reason, now)
        )
        what = "1 certificate is" if count == 1 else f"{count} certificates are"
        write_line(f"{name}: {what} not trusted any more")
    return 0
