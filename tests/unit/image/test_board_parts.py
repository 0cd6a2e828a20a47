# SPDX-License-Identifier: Apache-2.0
from ostrya.image.board_parts import Qemu


def test_a_command_line():
    qemu = Qemu("qemu", ("-drive", "file={disk}", "-pflash", "{vars}"))
    assert qemu.argv("/d", "/v") == ["qemu", "-drive", "file=/d", "-pflash", "/v"]
