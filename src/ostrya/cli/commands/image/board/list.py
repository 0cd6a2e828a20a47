# SPDX-License-Identifier: Apache-2.0
"""``image board list``: the boards that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.output import write_json, write_line
from ostrya.image.board import board_names, load_board

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:  # noqa: ARG001  # as all verbs have it
    """List them."""
    boards = [load_board(name) for name in board_names()]
    if context.json:
        write_json(
            {
                "boards": [
                    {
                        "name": one.name,
                        "title": one.title,
                        "architecture": one.architecture,
                        "loader": one.loader,
                        "runs-in-qemu": one.qemu is not None,
                    }
                    for one in boards
                ]
            }
        )
        return 0
    for one in boards:
        write_line(f"{one.name:26} {one.architecture:8} {one.loader:13} {one.title}")
    return 0
