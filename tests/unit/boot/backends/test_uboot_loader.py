# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.backends.uboot_loader import UBoot
from ostrya.boot.trial import Trial
from ostrya.errors import BootloaderError


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


def test_lines_that_are_too_many(disk):
    boots = disk.write(1)
    own = disk.make(f"{boots[0].root}/usr/lib/ostree-boot/uEnv.txt")
    own.write_bytes(b"#" * (2 << 20))
    with pytest.raises(BootloaderError, match="has more than 1048576 bytes"):
        UBoot().write_config(disk.context(), 1, boots)


def test_where_boot_has_no_links(disk):
    UBoot().write_config(disk.context(is_flat=True), 0, disk.write(0, is_flat=True))
    text = (disk.top / "boot/loader/uEnv.txt").read_text()
    assert text.startswith("kernel_image=/ostree/os-")


def test_nothing_to_boot(disk):
    disk.write(1)
    UBoot().write_config(disk.context(), 1, ())
    assert (disk.top / "boot/loader.1/uEnv.txt").read_text() == ""


def test_in_a_running_system(disk):
    """Its root is a deployment, and ``/ostree`` a link to the disk's."""
    boots = disk.write(1)
    disk.make(f"{boots[0].root}/usr/lib/ostree-boot/uEnv.txt", "own=1\n")
    (disk.top / "sysroot").mkdir()
    (disk.top / "ostree").rename(disk.top / "sysroot/ostree")
    (disk.top / "ostree").symlink_to("sysroot/ostree")
    UBoot().write_config(disk.context(), 1, boots)
    assert "own=1\n" in (disk.top / "boot/loader.1/uEnv.txt").read_text()


def test_a_menu_where_it_is_read(disk):
    boots = disk.write(1)
    UBoot().write_config(disk.context(), 1, boots)
    assert not (disk.top / "boot/loader.1/extlinux.conf").exists()
    link = disk.top / "boot/extlinux/extlinux.conf"
    link.parent.mkdir()
    link.symlink_to("../loader/extlinux.conf")
    assert UBoot().is_active(disk.context())
    UBoot().write_config(disk.context(), 1, boots)
    assert "default ostrya-0\n" in (disk.top / "boot/loader.1/extlinux.conf").read_text()


def test_what_is_on_trial(disk):
    boots = disk.write(1)
    trial = Trial("a" * 12 + ".0-0000", "", on_trial=True)
    UBoot().write_config(disk.context()._replace(trial=trial), 1, boots)
    text = (disk.top / "boot/loader.1/uEnv.txt").read_text()
    assert text.endswith("dep_id=aaaaaaaaaaaa.0-0000\ndep_trial=1\ndep_tries=xxx\n")


def test_on_trial_each_tree_speaks_for_itself(disk):
    boots = disk.write(1)
    texts = ("fdt_overlays=/a\nkernel_image2=/b\n", "fdt_overlays=/c\nx=1\n")
    for boot, text in zip(boots, texts, strict=True):
        disk.make(f"{boot.root}/usr/lib/ostree-boot/uEnv.txt", text)
    trial = Trial("a" * 12 + ".0-0000", "", on_trial=True)
    UBoot().write_config(disk.context()._replace(trial=trial), 1, boots)
    lines = (disk.top / "boot/loader.1/uEnv.txt").read_text().splitlines()
    assert "fdt_overlays=/a" in lines
    assert "fdt_overlays2=/c" in lines
    assert not {"kernel_image2=/b", "x=1"} & set(lines)
    without = trial._replace(fallback=None, on_trial=False)
    UBoot().write_config(disk.context()._replace(trial=without), 1, boots)
    assert "overlays2" not in (disk.top / "boot/loader.1/uEnv.txt").read_text()
