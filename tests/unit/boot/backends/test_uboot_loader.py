# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.boot.backends.uboot_loader import UBoot


def test_where_it_is(disk):
    assert not UBoot().is_active(disk.context())
    disk.make("boot/loader/uEnv.txt")
    assert UBoot().is_active(disk.context())


def test_what_it_reads(disk):
    boots = disk.write(1)
    UBoot().write_config(disk.context(prefix=""), 1, boots)
    text = (disk.top / "boot/loader.1/uEnv.txt").read_text()
    assert text.startswith("kernel_image=/boot/ostree/os-")
    assert "kernel_image2=" in text
    UBoot().after_swap(disk.context(), 1)


def test_the_trees_own_lines(disk):
    boots = disk.write(1)
    own = disk.make(f"{boots[0].root}/usr/lib/ostree-boot/uEnv.txt")
    own.write_bytes(b"load=\xff\n")
    disk.make(f"{boots[1].root}/usr/lib/ostree-boot/uEnv.txt", "other=1\n")
    UBoot().write_config(disk.context(), 1, boots)
    data = (disk.top / "boot/loader.1/uEnv.txt").read_bytes()
    assert b"load=\xff\n" in data
    assert b"other" not in data


def test_where_boot_has_no_links(disk):
    UBoot().write_config(disk.context(is_flat=True), 0, disk.write(0, is_flat=True))
    text = (disk.top / "boot/loader/uEnv.txt").read_text()
    assert text.startswith("kernel_image=/ostree/os-")


def test_nothing_to_boot(disk):
    disk.write(1)
    UBoot().write_config(disk.context(), 1, ())
    assert (disk.top / "boot/loader.1/uEnv.txt").read_text() == ""
