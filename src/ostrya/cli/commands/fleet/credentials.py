# SPDX-License-Identifier: Apache-2.0
"""``fleet credentials``: write the credentials.zip that devices and tools are provisioned with.

Devices use the gateway's address and the shared certificate in it, by which they register. Tools
use the rest: the addresses of treehub and Image repository, and a secret and a certificate of their
own that may push. `ostrya push`, `ostrya ota targets push`, garage-push and aktualizr read it. What
was given to a tool is withdrawn by `ostrya fleet token revoke NAME`.
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
)


def run(arguments: Arguments, context: Context) -> int:
    """Write it."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one FILE must be specified")
    path = arguments.positionals[0]
    if os.path.lexists(path):
        raise UsageError(f"{path} exists already")
    with open_server(arguments) as services:
        from ostrya.fleet import auth
        from ostrya.fleet.domain.credentials import Wanted, make
        from ostrya.uptane.author.credentials import write_credentials

        secret = "" if arguments.flag("devices-only") else auth.new_secret()
        digest = auth.digest(secret) if secret else ""
        name = arguments.text("name") or "tool"
        wanted = Wanted(name, secret, digest, arguments.flag("targets-key"))
        write_credentials(path, make(services, wanted))
        write_line(f"{path} is as secret as a key: it registers devices{_and(secret)}")
    return 0


def _and(secret: str) -> str:
    return ", and pushes" if secret else ""
