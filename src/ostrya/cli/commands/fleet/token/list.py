# SPDX-License-Identifier: Apache-2.0
"""``fleet token list``: who was given a secret, and what it may be used for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server, shown_time
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (DIR,)


def run(arguments: Arguments, context: Context) -> int:
    """List them."""
    with open_server(arguments) as services:
        from ostrya.fleet.api import views
        from ostrya.fleet.db.tokens import list_tokens

        with services.fleet.database.read() as connection:
            found = list_tokens(connection)
        if context.json:
            write_json({"tokens": [views.token(one) for one in found]})
            return 0
        for one in found:
            state = "good" if one.revoked is None else f"revoked {shown_time(one.revoked)}"
            write_line(f"{one.name}  {one.may}  {shown_time(one.created)}  {state}")
    return 0
