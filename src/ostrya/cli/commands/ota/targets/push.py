# SPDX-License-Identifier: Apache-2.0
"""``ota targets push``: copy what is published to a directory that is served.

Files come in an order in which none names one that is not there. A directory in which something
newer was published is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.ota_author import DIR, open_author
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "DIRECTORY"
OPTIONS = (DIR,)


def run(arguments: Arguments, context: Context) -> int:
    """Copy it."""
    from ostrya.uptane.author.push import push

    if len(arguments.positionals) != 1:
        raise context.usage_error("one DIRECTORY must be specified")
    for name in push(open_author(arguments), arguments.positionals[0]):
        write_line(name)
    return 0
