# SPDX-License-Identifier: Apache-2.0
"""``fleet events``: what happened on devices, the newest last.

With --follow, more is shown as it comes, until Ctrl-C. With --json and --follow, each is one line.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server, shown_time
from ostrya.cli.options import flag, number, text
from ostrya.cli.output import format_json, write_json, write_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.fleet.db.log import Event

PARAMETERS = ""
OPTIONS = (
    DIR,
    text("device", "ID", "Only of this device"),
    text("type", "NAME", "Only of this type"),
    number("last", "N", "How many; default: 50"),
    flag("follow", "Show more as it comes", short="f"),
)
_LOOK_EVERY_S = 0.5


def run(arguments: Arguments, context: Context) -> int:
    """Show them."""
    with open_server(arguments) as services:
        from ostrya.fleet.api import views
        from ostrya.fleet.db.log import list_events

        named = {"device_id": arguments.text("device"), "type": arguments.text("type")}
        where = {column: value for column, value in named.items() if value}
        count = min(max(arguments.number("last") or 50, 1), 1000)
        follow = arguments.flag("follow")
        with services.fleet.database.read() as connection:
            found = list_events(connection, where, after=-count, limit=count)
        if context.json and not follow:
            write_json({"events": [views.event(one) for one in found]})
            return 0
        newest = 0
        while True:
            _show(found, context)
            newest = found[-1].id if found else newest
            if not follow:
                return 0
            sys.stdout.flush()
            time.sleep(_LOOK_EVERY_S)
            with services.fleet.database.read() as connection:
                found = list_events(connection, where, after=newest, limit=1000)


def _show(found: Sequence[Event], context: Context) -> None:
    from ostrya.fleet.api import views

    for one in found:
        if context.json:
            write_line(format_json(views.event(one), sys.stdout, indent=None))
            continue
        success = (
            {True: "ok", False: "failed"}.get(one.success, "") if one.success is not None else ""
        )
        words = (shown_time(one.received), one.device_id, one.type, one.ecu, success)
        write_line("  ".join(word for word in (*words, _reason(one)) if word))


def _reason(one: Event) -> str:
    """Return what a device says of an event in words of its own, as one line."""
    from ostrya.fleet.api import views

    told = views.event(one)["event"]
    words = told.get("description") if isinstance(told, dict) else None
    return "".join(filter(str.isprintable, words)) if isinstance(words, str) else ""
