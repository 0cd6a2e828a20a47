# SPDX-License-Identifier: Apache-2.0
"""``fleet targets list``: the images of the Image repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server
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

        found = services.images.all_images()
        shown = [views.target(name, found[name]) for name in sorted(found)]
        if context.json:
            write_json({"targets": shown})
            return 0
        for one in shown:
            kinds = one["hardware_ids"]
            words = ", ".join(map(str, kinds)) if isinstance(kinds, list) else ""
            write_line(f"{one['name']}  {one['kind']}  {one['sha256']}  {words}")
    return 0
