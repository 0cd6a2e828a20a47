# SPDX-License-Identifier: Apache-2.0
"""``fleet campaign abort``: end a campaign.

Devices that have not begun to install do not; those that have, finish and report it.
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
    from ostrya.fleet.domain.campaigns import cancel

    return change(arguments, context, cancel, "has ended")
