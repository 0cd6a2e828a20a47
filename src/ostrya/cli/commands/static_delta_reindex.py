# SPDX-License-Identifier: Apache-2.0
"""``static-delta reindex``: write the indexes of deltas anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import text
from ostrya.repo.delta_indexes import reindex_deltas
from ostrya.repo.repository import require_writable

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (text("to", "COMMIT", "Only the index of the deltas to this commit"),)


def run(arguments: Arguments, context: Context) -> int:
    """Write them."""
    require_writable(context.repo)
    reindex_deltas(context.repo, arguments.text("to"))
    return 0
