# SPDX-License-Identifier: Apache-2.0
"""``fleet campaign resume``: let a campaign that is paused go on.

If it paused by itself, what failed before counts no more.
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
    from ostrya.fleet.domain.campaigns import resume

    return change(arguments, context, resume, "goes on")
