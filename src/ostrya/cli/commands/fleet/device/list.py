# SPDX-License-Identifier: Apache-2.0
"""``fleet device list``: which devices there are, what they run, and what is still to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server, shown_image, shown_time
from ostrya.cli.options import text
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.fleet.domain.devices import Overview
    from ostrya.fleet.domain.services import Services

PARAMETERS = ""
OPTIONS = (
    DIR,
    text("group", "NAME", "Only devices of this group"),
    text("search", "WORD", "Only devices whose ids have WORD in them"),
)


def run(arguments: Arguments, context: Context) -> int:
    """List them."""
    with open_server(arguments) as services:
        from ostrya.fleet.api import views

        group, search = arguments.text("group") or "", arguments.text("search") or ""
        found = _all(services, group, search)
        if context.json:
            write_json({"devices": [views.device(one) for one in found]})
            return 0
        for one in found:
            runs = ", ".join(f"{ecu.hardware_id}: {shown_image(ecu)}" for ecu in one.ecus)
            coming = "".join(f", to run {each.target} ({each.state})" for each in one.open)
            seen = shown_time(one.device.last_seen)
            write_line(f"{one.device.id}  {one.state}  seen {seen}  {runs}{coming}".rstrip())
    return 0


def _all(services: Services, group: str, search: str) -> Iterator[Overview]:
    from ostrya.fleet.db import devices as rows
    from ostrya.fleet.domain.devices import overview

    after = ""
    while True:
        with services.fleet.database.read() as connection:
            page = rows.list_devices(connection, after=after, limit=500, group=group, search=search)
            found = overview(connection, page)
        yield from found
        if len(page) < 500:
            return
        after = page[-1].id
