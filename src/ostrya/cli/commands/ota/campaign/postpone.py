# SPDX-License-Identifier: Apache-2.0
"""``ota campaign postpone``: say not now to a campaign; the server is told later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.ota_client import CONFIG, give_answer

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "ID"
OPTIONS = (CONFIG,)


def run(arguments: Arguments, context: Context) -> int:
    """Queue the answer."""
    from ostrya.uptane.client.campaigns import CampaignAnswer

    give_answer(arguments, context, CampaignAnswer.POSTPONE)
    return 0
