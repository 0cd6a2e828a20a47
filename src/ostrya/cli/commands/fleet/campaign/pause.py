# SPDX-License-Identifier: Apache-2.0
"""``fleet campaign pause``: let no more devices begin.

Those that have begun go on: what they install they report. Those that have not asked yet since it
was their turn wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.fleet_campaigns import change
from ostrya.cli.fleet_server import DIR, require_libraries

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments


PARAMETERS = "NAME"
OPTIONS = (DIR,)


def run(arguments: Arguments, context: Context) -> int:
    """Do it."""
    require_libraries()
    from ostrya.fleet.domain.campaigns import pause

    return change(arguments, context, pause, "is paused")
