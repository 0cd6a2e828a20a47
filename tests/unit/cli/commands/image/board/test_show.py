# SPDX-License-Identifier: Apache-2.0
from ostrya.image.board import load_board, parse_board


def test_a_description_to_begin_with(run, tmp_path):
    said = run.ok("image", "board", "show", "beaglebone-black").out
    assert parse_board(said, "x") == load_board("beaglebone-black")
    assert "no board 'x'" in run.fails("image", "board", "show", "x", status=60)
