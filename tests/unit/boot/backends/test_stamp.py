# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.boot.backends.stamp import clear_stamp, has_stamp, set_stamp


def test_there_and_gone(disk):
    context = disk.context()
    assert not has_stamp(context)
    set_stamp(context)
    set_stamp(context)
    assert (disk.top / "boot/ostree-bootloader-update.stamp").read_bytes() == b""
    assert has_stamp(context)
    clear_stamp(context)
    clear_stamp(context)
    assert not has_stamp(context)
