# SPDX-License-Identifier: Apache-2.0
"""``fleet credentials``: write the credentials.zip that devices and tools are provisioned with.

Devices use the gateway's address and the shared certificate in it, by which they register. Tools
use the rest: the addresses of treehub and Image repository, and a secret and a certificate of their
own that may push. `ostrya push`, `ostrya ota targets push`, garage-push and aktualizr read it. What
was given to a tool is withdrawn by `ostrya fleet token revoke NAME`.

The addresses in the file are those that fleet.toml gives now. When `listen`, `hostnames` or `url`
change there, files that were written before lead to where the server was: write new ones.

With --auth=oauth2, tools ask the server for passes that are good for an hour; with
--auth=certificate, the certificate in client_auth.p12 is all that they have.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.options import flag, text
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "FILE"
OPTIONS = (
    DIR,
    text("name", "NAME", "Of the tool that gets it; default: tool"),
    flag("devices-only", "Only what devices need"),
    flag("targets-key", "Also the key of Targets, for tools that sign"),
    text("auth", "WAY", "How the tool says who it is: basic (default), oauth2 or certificate"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Write it."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one FILE must be specified")
    path = arguments.positionals[0]
    way = arguments.text("auth") or "basic"
    if os.path.lexists(path):
        raise UsageError(f"{path} exists already")
    with open_server(arguments) as services:
        from ostrya.fleet import auth
        from ostrya.fleet.domain.credentials import WAYS, Wanted, make
        from ostrya.uptane.author.credentials import write_credentials

        if way not in WAYS:
            raise UsageError(f"--auth is {way!r}; there are {', '.join(WAYS)}")
        secret = "" if arguments.flag("devices-only") else auth.new_secret()
        digest = auth.digest(secret) if secret else ""
        name = arguments.text("name") or "tool"
        wanted = Wanted(name, secret, digest, arguments.flag("targets-key"), way)
        write_credentials(path, make(services, wanted))
        write_line(f"{path} is as secret as a key: it registers devices{_and(secret)}")
        settings = services.settings
        tools = f", tools at {settings.admin_url}" if secret and settings.admin_url else ""
        write_line(f"It leads devices to {settings.gateway_url}{tools}")
    return 0


def _and(secret: str) -> str:
    return ", and pushes" if secret else ""
