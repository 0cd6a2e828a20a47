# SPDX-License-Identifier: Apache-2.0
"""What every boot loader does, whatever it reads."""

from __future__ import annotations

import os

import pytest

from ostrya.boot.backends import aboot_loader, grub2_loader, zipl_loader
from ostrya.boot.backends.stamp import STAMP
from ostrya.boot.bootloader import SETTINGS, Bootloader, LoaderContext, load_bootloader
from support.boot_disks import BootDisk

NAMES = tuple(name for name in SETTINGS if name not in ("auto", "none"))
FIELDS = {"aboot": "/a", "abootcfg": "/c"}
MARKS = {
    "syslinux": "boot/syslinux/syslinux.cfg",
    "grub2": "boot/grub2/grub.cfg",
    "uboot": "boot/loader/uEnv.txt",
    "systemd-boot": "boot/loader/loader.conf",
}


@pytest.fixture(params=NAMES)
def name(request) -> str:
    return request.param


@pytest.fixture
def loader(name, monkeypatch) -> Bootloader:
    """Each of them; programs that are to be run end well."""
    monkeypatch.setattr(zipl_loader, "run", lambda _argv: b"")
    monkeypatch.setattr(zipl_loader.os, "geteuid", lambda: 0)
    monkeypatch.setattr(aboot_loader, "run", lambda _argv, **_options: b"")
    monkeypatch.setattr(grub2_loader, "_find_mkconfig", lambda _root: None)
    return load_bootloader(name)


@pytest.fixture(params=["links", "flat", "efi"])
def disk(request, tmp_path):
    disk = BootDisk(tmp_path / "disk")
    if request.param == "efi":
        disk.make("boot/efi/EFI/debian/grub.cfg", "old")
    disk.is_flat = request.param == "flat"
    yield disk
    disk.close()


def context(disk: BootDisk) -> LoaderContext:
    # As for a system that runs: nothing is to be run in its tree.
    return disk.context(is_flat=disk.is_flat, is_running=True)


def files(disk: BootDisk) -> dict[str, bytes]:
    """Every file in ``boot``, with what is in it."""
    found = (path for path in (disk.top / "boot").rglob("*") if path.is_file())
    return {str(path.relative_to(disk.top)): path.read_bytes() for path in found}


def boots_of(disk: BootDisk, bootversion: int):
    return disk.write(bootversion, is_flat=disk.is_flat, **FIELDS)


def test_it_is_found_by_its_file(name, loader, disk):
    assert loader.name == name
    assert loader.is_active(context(disk)) == (
        name == "grub2" and (disk.top / "boot/efi").exists()
    ) or (name == "zipl" and os.uname().machine == "s390x")
    if name in MARKS:
        disk.make(MARKS[name])
        assert loader.is_active(context(disk))


@pytest.mark.parametrize("disk", ["links", "efi"], indirect=True)
def test_what_is_current_stays_until_the_swap(loader, disk):
    loader.write_config(context(disk), 0, boots_of(disk, 0))
    loader.after_swap(context(disk), 0)
    boots = boots_of(disk, 1)
    before = files(disk)
    loader.write_config(context(disk), 1, boots)
    after = files(disk)
    for path, data in before.items():
        assert path == STAMP or after[path] == data
    for path in set(after) - set(before):
        assert path.startswith("boot/loader.1/") or path.endswith((".new", ".stamp", "loader.conf"))


def test_the_same_again_changes_nothing(loader, disk):
    boots = boots_of(disk, 1)
    for _ in range(2):
        loader.write_config(context(disk), 1, boots)
        loader.after_swap(context(disk), 1)
    found = files(disk)
    # Power failed behind the swap, and somebody else asks again.
    again = load_bootloader(loader.name)
    again.after_swap(context(disk), 1)
    assert files(disk) == found
    assert STAMP not in found
    assert not [path for path in found if path.endswith((".new", ".tmp")) or "/tmp." in path]


def test_a_swap_that_did_not_come_to_be(loader, disk):
    loader.write_config(context(disk), 0, boots_of(disk, 0))
    loader.after_swap(context(disk), 0)
    before = files(disk)
    boots = boots_of(disk, 0 if disk.is_flat else 1)
    loader.write_config(context(disk), 0 if disk.is_flat else 1, boots)
    load_bootloader(loader.name).after_swap(context(disk), 0)
    after = files(disk)
    assert {path: after.get(path) for path in before} == before


def test_after_swap_with_nothing_before(loader, disk):
    before = files(disk)
    loader.after_swap(context(disk), 0)
    assert files(disk) == before


@pytest.mark.parametrize("name", [name for name in NAMES if name != "aboot"], indirect=True)
def test_nothing_to_boot(loader, disk):
    boots_of(disk, 1)
    loader.write_config(context(disk), 1, ())
    loader.after_swap(context(disk), 1)


def test_whether_it_goes_over_at_once(name, loader, disk):
    loader.is_active(context(disk))
    is_on_efi = (disk.top / "boot/efi").exists()
    assert loader.is_atomic == (name != "systemd-boot" and not (name == "grub2" and is_on_efi))
