# SPDX-License-Identifier: Apache-2.0
"""``fleet init``: make a server: an authority, keys, a database and settings, in a new folder.

The keys of the Director are on the server, which signs for each device. Those of the Image
repository are too, unless --offline-image-keys names a folder: an `ostrya ota` workplace that is
kept at another machine, and made there if it is not there. The server then gets the keys of
snapshots and timestamps only, and new images are signed where the others are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import require_libraries
from ostrya.cli.options import text, texts
from ostrya.cli.ota_author import DEFAULT_KIND, KIND, time_now
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "DIR"
OPTIONS = (
    text("name", "NAME", "What the fleet is called; default: fleet"),
    texts(
        "hostname", "HOST", "Name or address that devices reach the server by; many may be given"
    ),
    text("listen", "HOST:PORT", "Where devices are expected; default: 0.0.0.0:8443"),
    text("admin-listen", "HOST:PORT", "Where tools are expected; default: 0.0.0.0:8444"),
    text("database", "URL", "Database on another machine; default: SQLite in the folder"),
    text("offline-image-keys", "PATH", "Keep root and Targets of the Image repository in PATH"),
    KIND,
)


def run(arguments: Arguments, context: Context) -> int:
    """Make it."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one DIR must be specified")
    require_libraries()
    from ostrya.fleet.domain.setup import Plan, make_fleet
    from ostrya.fleet.settings import Database, Server, Settings, parse_listen

    folder = arguments.positionals[0]
    usual = Server()
    server = usual._replace(
        name=arguments.text("name") or usual.name,
        hostnames=tuple(arguments.texts("hostname")) or _own_names(),
        listen=arguments.text("listen") or usual.listen,
        admin_listen=arguments.text("admin-listen") or usual.admin_listen,
    )
    for address in (server.listen, server.admin_listen):
        parse_listen(address)
    settings = Settings(folder, server, Database(arguments.text("database") or ""))
    offline = arguments.text("offline-image-keys") or ""
    kind = arguments.text("key-type") or DEFAULT_KIND
    make_fleet(Plan(settings, kind, offline), time_now())
    write_line(f"A server was made in {folder}")
    write_line(f"Devices reach it at {settings.gateway_url}, tools at {settings.admin_url}")
    write_line("Keep a copy of the folder in a safe place: its keys cannot be made again")
    if offline:
        write_line(f"New images are signed with the keys in {offline}")
    write_line("Next:")
    write_line(f"  ostrya fleet serve {folder}")
    write_line(f"  ostrya fleet credentials --dir={folder} credentials.zip")
    return 0


def _own_names() -> tuple[str, ...]:
    import socket

    return tuple(dict.fromkeys((socket.gethostname(), "localhost", "127.0.0.1")))
