# SPDX-License-Identifier: Apache-2.0
"""``fleet device show``: all that is known of a device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server, shown_image, shown_time
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.fleet.domain.devices import Details

PARAMETERS = "ID"
OPTIONS = (DIR,)


def run(arguments: Arguments, context: Context) -> int:
    """Show it."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one ID must be specified")
    with open_server(arguments) as services:
        from ostrya.fleet.api import views
        from ostrya.fleet.domain.devices import details

        with services.fleet.database.read() as connection:
            found = details(connection, arguments.positionals[0])
        if context.json:
            write_json(views.details(found))
        else:
            _write(found)
    return 0


def _write(found: Details) -> None:
    device = found.overview.device
    write_line(f"{device.id}: {found.overview.state}")
    write_line(f"registered {shown_time(device.created)}, seen {shown_time(device.last_seen)}")
    if found.groups:
        write_line(f"groups: {', '.join(found.groups)}")
    if device.attacks:
        write_line(f"attacks: {device.attacks}")
    for ecu in found.overview.ecus:
        role = " (Primary)" if ecu.serial == device.primary_serial else ""
        write_line(f"ECU {ecu.serial}{role}, a {ecu.hardware_id}: {shown_image(ecu)}")
    for one in found.history:
        reason = f": {one.reason}" if one.reason else ""
        write_line(f"{shown_time(one.updated)}  {one.ecu}  {one.target}  {one.state}{reason}")
    for certificate in found.certificates:
        state = f"revoked: {certificate.reason}" if certificate.revoked else "good"
        write_line(f"certificate {certificate.serial}  {state}")
