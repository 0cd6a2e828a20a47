# SPDX-License-Identifier: Apache-2.0
"""``ota delegation list``: who is trusted with which images, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.ota_author import DIR, open_author
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (DIR,)


def run(arguments: Arguments, context: Context) -> int:
    """List them."""
    from ostrya.uptane.author.delegate import roles

    found = roles(open_author(arguments))
    if context.json:
        write_json(
            {
                "delegations": [
                    {
                        "name": one.name,
                        "paths": list(one.paths or ()),
                        "terminating": one.terminating,
                        "hardware-ids": list(one.hardware_ids or ()),
                        "threshold": one.members[0][1].threshold,
                        "keyids": list(one.members[0][1].key_ids),
                    }
                    for one in found
                ]
            }
        )
        return 0
    for one in found:
        end = "  and nobody else is asked" if one.terminating else ""
        write_line(f"{one.name}  {' '.join(one.paths or ())}{end}")
    return 0
