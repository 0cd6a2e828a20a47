# SPDX-License-Identifier: Apache-2.0
"""``remote show-url``: the address of a remote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.output import write_json, write_line
from ostrya.repo.remotes import remote_url

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME"
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Print the address."""
    if not arguments.positionals:
        raise context.usage_error("NAME must be specified")
    name = arguments.positionals[0]
    url = remote_url(context.repo, name)
    if context.json:
        write_json({"name": name, "url": url})
    else:
        write_line(url)
    return 0
