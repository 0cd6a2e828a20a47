# SPDX-License-Identifier: Apache-2.0
"""``fleet recover``: let a server go on from a copy of it.

Devices refuse metadata that is older than what they have seen, and may have seen more than is in
the copy. So everything is signed anew, with versions that no server has come to before. What is
signed with keys that are elsewhere has to be pushed again, if something was pushed after the copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.output import write_line, write_message

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (DIR,)


def run(arguments: Arguments, context: Context) -> int:
    """Sign it."""
    if arguments.positionals:
        raise context.usage_error("recover takes no arguments")
    with open_server(arguments) as services:
        from ostrya.fleet.domain.backup import recover

        found = recover(services)
        what = "1 vehicle" if found.vehicles == 1 else f"{found.vehicles} vehicles"
        write_line(f"signed anew: the Image repository, and what {what} shall run")
        for role in found.elsewhere:
            write_message(f"warning: {role} is signed elsewhere: push it again if it is newer")
    return 0
