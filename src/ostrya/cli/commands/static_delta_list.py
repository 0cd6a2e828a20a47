# SPDX-License-Identifier: Apache-2.0
"""``static-delta list``: the names of the repository's static deltas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.output import write_json, write_line
from ostrya.repo.delta_files import list_deltas

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Print one line for each delta."""
    del arguments
    names = list_deltas(context.repo)
    if context.json:
        write_json([{"name": str(name), "from": name.origin, "to": name.to} for name in names])
        return 0
    for name in names:
        write_line(str(name))
    if not names:
        write_line("(No static deltas)")
    return 0
