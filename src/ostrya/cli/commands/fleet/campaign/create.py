# SPDX-License-Identifier: Apache-2.0
"""``fleet campaign create``: let many devices run an image, in waves, with a halt if it goes wrong.

TARGET is the name of an image. Each --wave says how many of the devices have it once that wave is
through, as a share (5%) or a number (20), those of the waves before counted; in the end come all.
Which devices come first is drawn by lot. A running server moves it on: the next wave begins when
--advance of a hundred devices have the image, and the campaign pauses by itself when --failures of
a wave have failed. Without --wave, all devices get it at once, and --failures halts what is left.

With --ask, devices offer it to their users, and get it once these accept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_campaigns import devices, show_waves
from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.options import flag, number, text, texts
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.fleet.domain.campaigns import Offer


PARAMETERS = "NAME TARGET"
OPTIONS = (
    DIR,
    texts("device", "ID", "For this device; may be given many times"),
    texts("group", "NAME", "For the devices of this group; may be given many times"),
    flag("all", "For all devices that there are now"),
    texts("wave", "AMOUNT", "How many have it after a wave, as 5% or 20; may be given many times"),
    text("failures", "AMOUNT", "As many of a wave fail and it pauses; default: 10%; or none"),
    number("advance", "PERCENT", "So much of a wave has it and the next begins; default: 90"),
    flag("ask", "Devices ask their users"),
    text("description", "TEXT", "What users are told"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Create it, and let it begin."""
    if len(arguments.positionals) != 2:
        raise context.usage_error("NAME and TARGET must be specified")
    if not (arguments.texts("device") or arguments.texts("group") or arguments.flag("all")):
        raise context.usage_error("--device, --group or --all must say for which devices")
    with open_server(arguments) as services:
        from ostrya.fleet.api import views
        from ostrya.fleet.db.campaigns import count_campaign_devices
        from ostrya.fleet.domain.campaigns import Whom, begin

        offer = _offer(arguments)
        whom = Whom(
            tuple(arguments.texts("device")),
            tuple(arguments.texts("group")),
            arguments.flag("all"),
        )
        images, now = services.images.all_images(), services.fleet.timestamp()
        campaign = services.fleet.database.write(
            lambda connection: begin(connection, offer, whom, images, now)
        )
        with services.fleet.database.read() as connection:
            counts = count_campaign_devices(connection, campaign)
        if context.json:
            write_json(views.campaign(campaign, counts))
            return 0
        total = devices(sum(one.size for one in counts))
        write_line(f"{campaign.name} is for {total}; a running server moves it on")
        show_waves(campaign, counts)
    return 0


def _offer(arguments: Arguments) -> Offer:
    from ostrya.fleet.db.campaigns import ASSIGN, OFFER
    from ostrya.fleet.domain.campaigns import Offer

    name, target = arguments.positionals
    failures = arguments.text("failures") or "10%"
    advance = arguments.number("advance")
    return Offer(
        name,
        target,
        arguments.text("description") or "",
        mode=OFFER if arguments.flag("ask") else ASSIGN,
        waves=tuple(arguments.texts("wave")),
        failures="" if failures == "none" else failures,
        advance=90 if advance is None else advance,
    )
