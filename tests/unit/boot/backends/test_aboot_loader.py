# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.backends import aboot_loader
from ostrya.boot.backends.aboot_loader import Aboot
from ostrya.boot.backends.stamp import has_stamp
from ostrya.boot.errors import EntryInvalid
from support.boot_disks import CSUM

FIELDS = {"aboot": "/ostree/os-3f/aboot.img", "abootcfg": "/ostree/deploy/x/aboot.cfg"}


@pytest.fixture
def commands(monkeypatch):
    found: list[object] = []
    monkeypatch.setattr(aboot_loader, "run", lambda argv, *, cwd: found.append((argv, cwd)))
    return found


def test_the_image_is_written(disk, commands):
    context = disk.context()
    Aboot().write_config(context, 1, disk.write(1, **FIELDS))
    assert (commands, has_stamp(context)) == ([], True)
    Aboot().after_swap(context, 1)
    ((argv, cwd),) = commands
    assert cwd == str(disk.top)
    options = f"root=x ostree=/ostree/boot.1/os/{CSUM}/0"
    assert argv == [
        *("aboot-deploy", "-r", ".", "-c", FIELDS["abootcfg"], "-o", options, FIELDS["aboot"])
    ]
    assert not has_stamp(context)
    Aboot().after_swap(context, 1)
    assert len(commands) == 1


def test_trees_without_an_image(disk, commands):
    with pytest.raises(EntryInvalid, match='aboot: no "aboot" key in bootloader config'):
        Aboot().write_config(disk.context(), 1, disk.write(1))
    with pytest.raises(EntryInvalid, match="aboot: no bls config"):
        Aboot().write_config(disk.context(), 1, ())
    assert not has_stamp(disk.context())


def test_entries_that_are_gone(disk, commands):
    Aboot().write_config(disk.context(), 1, disk.write(1, **FIELDS))
    with pytest.raises(EntryInvalid, match="aboot: no bls config"):
        Aboot().after_swap(disk.context(), 0)
    assert has_stamp(disk.context())


def test_it_is_never_found(disk):
    assert not Aboot().is_active(disk.context())
