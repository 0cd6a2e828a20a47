# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.boot.backends.syslinux_loader import Syslinux


def test_where_it_is(disk):
    assert not Syslinux().is_active(disk.context())
    (disk.top / "boot/syslinux").mkdir()
    (disk.top / "boot/syslinux/syslinux.cfg").symlink_to("../loader/syslinux.cfg")
    assert Syslinux().is_active(disk.context())


def test_what_others_wrote_stays(disk):
    boots = disk.write(1)
    (disk.top / "boot/loader").symlink_to("loader.0")
    disk.make("boot/loader.0/syslinux.cfg").write_bytes(b"SAY \xff\nTIMEOUT 50\n")
    Syslinux().write_config(disk.context(), 1, boots)
    data = (disk.top / "boot/loader.1/syslinux.cfg").read_bytes()
    assert data.startswith(b"SAY \xff\nTIMEOUT 50\n")
    assert b"\tKERNEL /boot/ostree/os-" in data
    Syslinux().after_swap(disk.context(), 1)


def test_nobody_wrote_anything(disk):
    context = disk.context(is_flat=True, prefix="")
    Syslinux().write_config(context, 0, disk.write(0, is_flat=True))
    text = (disk.top / "boot/loader/syslinux.cfg").read_text()
    assert text.startswith("DEFAULT X OS (ostree:0)\n")
    assert "\tKERNEL /ostree/os-" in text
