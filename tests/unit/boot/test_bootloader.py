# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.bootloader import SETTINGS, find_bootloader, load_bootloader
from ostrya.boot.errors import LoaderUnknown


def test_every_setting_but_two_is_a_loader():
    named = [name for name in SETTINGS if name not in ("auto", "none")]
    assert [load_bootloader(name).name for name in named] == named


def test_the_setting_counts(disk):
    disk.make("boot/loader/uEnv.txt")
    assert find_bootloader("none", disk.context()) is None
    assert find_bootloader("syslinux", disk.context()).name == "syslinux"
    with pytest.raises(LoaderUnknown, match="Invalid bootloader configuration: 'lilo'"):
        find_bootloader("lilo", disk.context())


def test_what_is_there_is_found_in_this_order(disk):
    def found() -> str | None:
        loader = find_bootloader("auto", disk.context())
        return None if loader is None else loader.name

    assert found() is None
    for path, name in (
        ("boot/loader/loader.conf", None),
        ("boot/loader/uEnv.txt", "uboot"),
        ("boot/grub2/grub.cfg", "grub2"),
        ("boot/syslinux/syslinux.cfg", "syslinux"),
    ):
        disk.make(path)
        assert found() == name


def test_directories(disk):
    assert disk.context().entries_dir(1) == "boot/loader.1/entries"
    assert disk.context(is_flat=True).entries_dir(1) == "boot/loader/entries"
