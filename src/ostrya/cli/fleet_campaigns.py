# SPDX-License-Identifier: Apache-2.0
"""What the verbs of `fleet campaign` share: which one is meant, and how it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import open_server
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.fleet.db.campaigns import Campaign, Count


def change(
    arguments: Arguments,
    context: Context,
    deed: Callable[..., Campaign],
    words: str,
) -> int:
    """Change the campaign that is named, and say so in words behind its name."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one NAME must be specified")
    with open_server(arguments) as services:
        from ostrya.fleet.api import views
        from ostrya.fleet.db.campaigns import count_campaign_devices
        from ostrya.fleet.domain.campaigns import named

        database, now = services.fleet.database, services.fleet.timestamp()
        with database.read() as connection:
            found = named(connection, arguments.positionals[0])
        campaign = database.write(lambda connection: deed(connection, found.id, now))
        with database.read() as connection:
            counts = count_campaign_devices(connection, campaign)
        if context.json:
            write_json(views.campaign(campaign, counts))
        else:
            write_line(f"{campaign.name} {words}")
            show_waves(campaign, counts)
    return 0


def show_waves(campaign: Campaign, counts: Sequence[Count]) -> None:
    """Show how many devices of each wave are how far."""
    by_wave: dict[int, dict[str, int]] = {}
    for one in counts:
        by_wave.setdefault(one.wave, {})[one.state] = one.size
    for wave, states in sorted(by_wave.items()):
        begun = "" if wave <= campaign.wave else ", not begun"
        write_line(f"  wave {wave}  {devices(sum(states.values()))}{begun}  {_shown(states)}")


def devices(count: int) -> str:
    """Return how many devices, in words."""
    return f"{count} {'device' if count == 1 else 'devices'}"


def _shown(states: Mapping[str, int]) -> str:
    return ", ".join(f"{state}: {count}" for state, count in states.items())
