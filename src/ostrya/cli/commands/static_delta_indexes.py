# SPDX-License-Identifier: Apache-2.0
"""``static-delta indexes``: the commits that have an index of the deltas to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.output import write_json, write_line
from ostrya.repo.delta_indexes import list_delta_indexes

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Print one line for each commit."""
    del arguments
    commits = list_delta_indexes(context.repo)
    if context.json:
        write_json(list(commits))
        return 0
    for checksum in commits:
        write_line(checksum)
    if not commits:
        write_line("(No static deltas indexes)")
    return 0
