# SPDX-License-Identifier: Apache-2.0
"""``ota targets push``: copy what is published to a directory that is served, or to a server.

Files come in an order in which none names one that is not there. A directory in which something
newer was published is left alone. With --credentials, a credentials.zip names a server of `ostrya
fleet` in place of a directory: root, Targets and roles that they trust are published there all at
once, with a snapshot and a timestamp of the server's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import text
from ostrya.cli.ota_author import DIR, open_author
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "[DIRECTORY]"
OPTIONS = (DIR, text("credentials", "FILE", "Push to the server that FILE is of"))


def run(arguments: Arguments, context: Context) -> int:
    """Copy it."""
    from ostrya.uptane.author.push import push

    credentials = arguments.text("credentials")
    if len(arguments.positionals) != (1 if credentials is None else 0):
        raise context.usage_error("one DIRECTORY must be specified, or --credentials")
    if credentials is not None:
        from ostrya.uptane.author.credentials import read_credentials
        from ostrya.uptane.author.push_server import push_to_server

        for name in push_to_server(open_author(arguments), read_credentials(credentials)):
            write_line(name)
        return 0
    for name in push(open_author(arguments), arguments.positionals[0]):
        write_line(name)
    return 0
