# SPDX-License-Identifier: Apache-2.0
"""``image board show``: a board's description, to begin one's own with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.output import write
from ostrya.image.board import board_text, load_board

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "BOARD"
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Print it."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one BOARD must be specified")
    board = load_board(arguments.positionals[0])
    write(board_text(board.name))
    return 0
