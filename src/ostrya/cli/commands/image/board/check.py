# SPDX-License-Identifier: Apache-2.0
"""``image board check``: whether a board's description, or an image of it, can work.

BOARD is a name, or the file of a description. Its firmware is looked for in a folder that
--firmware names, and on this machine. With --image, an image is read, and compared with what the
board's firmware and loader look for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import text
from ostrya.cli.output import write_json, write_line
from ostrya.image.board import load_board
from ostrya.image.board_check import State, check_board
from ostrya.image.board_image import check_image
from ostrya.image.firmware import FirmwarePlaces
from ostrya.image.reading.disk import DiskImage

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "BOARD"
OPTIONS = (
    text("firmware", "DIR", "Look for firmware in this folder first"),
    text("image", "FILE", "An image of the board"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Look, and say what was found; status 1 if there is a problem."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("one BOARD must be specified")
    board = load_board(arguments.positionals[0])
    path = arguments.text("image")
    if path is None:
        findings = check_board(board, FirmwarePlaces(arguments.text("firmware") or ""))
    else:
        with DiskImage(path) as image:
            findings = check_image(board, image)
    if context.json:
        write_json({"board": board.name, "findings": [one._asdict() for one in findings]})
    else:
        for one in findings:
            write_line(f"{one.state:8} {one.what}: {one.detail}")
    return 1 if any(one.state is State.PROBLEM for one in findings) else 0
