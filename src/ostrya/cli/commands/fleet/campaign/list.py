# SPDX-License-Identifier: Apache-2.0
"""``fleet campaign list``: which campaigns there are, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_campaigns import devices
from ostrya.cli.fleet_server import DIR, open_server, shown_time
from ostrya.cli.options import text
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments


PARAMETERS = ""
OPTIONS = (DIR, text("state", "NAME", "Only those that are draft, launched, paused, …"))


def run(arguments: Arguments, context: Context) -> int:
    """List them."""
    with open_server(arguments) as services:
        from ostrya.fleet.api import views
        from ostrya.fleet.db import campaigns as rows

        with services.fleet.database.read() as connection:
            found = [
                (one, rows.count_campaign_devices(connection, one))
                for one in rows.list_campaigns(connection, arguments.text("state") or "")
            ]
        if context.json:
            write_json({"campaigns": [views.campaign(*one) for one in found]})
            return 0
        for one, counts in found:
            total = sum(each.size for each in counts)
            done = sum(each.size for each in counts if each.state == rows.DONE)
            failed = sum(each.size for each in counts if each.state == rows.FAILED)
            write_line(
                f"{one.name}  {one.state}  {one.target}  since {shown_time(one.created)}"
                f"  {done} of {devices(total)} have it, {failed} failed"
                + (f"  ({one.reason})" if one.reason else "")
            )
    return 0
