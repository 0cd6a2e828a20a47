# SPDX-License-Identifier: Apache-2.0
"""``fleet campaign show``: how far a campaign is, wave by wave, and which devices have a reason.

With --devices, all of its devices are listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_campaigns import show_waves
from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.options import flag
from ostrya.cli.output import write_json, write_line, write_message

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.fleet.db.campaigns import Campaign


PARAMETERS = "NAME"
OPTIONS = (DIR, flag("devices", "List all of its devices"))


def run(arguments: Arguments, context: Context) -> int:
    """Show it."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one NAME must be specified")
    with open_server(arguments) as services:
        from ostrya.fleet.api import views
        from ostrya.fleet.db import campaigns as rows
        from ostrya.fleet.domain.campaigns import named

        with services.fleet.database.read() as connection:
            found = named(connection, arguments.positionals[0])
            counts = rows.count_campaign_devices(connection, found)
            members = rows.campaign_devices(connection, found.id)
        if context.json:
            listed = [views.campaign_device(one) for one in members]
            write_json({**views.campaign(found, counts), "devices": listed})
            return 0
        _show_plan(found)
        show_waves(found, counts)
        for one in members:
            if arguments.flag("devices") or one.reason:
                words = f"  {one.device_id}  wave {one.wave}  {one.state}"
                write_line(f"{words}  {one.reason}".rstrip())
        if found.reason:
            write_message(f"paused: {found.reason}")
    return 0


def _show_plan(campaign: Campaign) -> None:
    write_line(f"{campaign.name}: {campaign.target}, {campaign.state} ({campaign.id})")
    how = "devices are asked" if campaign.mode == "offer" else "devices are told"
    waves = campaign.waves.replace(",", ", ")
    write_line(f"  {how}, {f'in waves of {waves}, then all' if waves else 'all at once'}")
    if campaign.failures:
        write_line(f"  it pauses when {campaign.failures} of a wave have failed")
    if waves:
        write_line(f"  the next wave begins when {campaign.advance}% of those before have it")
