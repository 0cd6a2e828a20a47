# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.sysroot.loader import find_loader, finish_loader, loader_context
from ostrya.sysroot.loading import Loaded
from ostrya.sysroot.stateroot import make_sysroot
from ostrya.sysroot.sysroot import Sysroot, SysrootOptions

NOTHING = Loaded(1, 0, ())


@pytest.fixture
def make(tmp_path):
    """Make a sysroot with settings."""
    opened = []

    def make(settings: str = "") -> Sysroot:
        make_sysroot(str(tmp_path), epoch=1)
        with (tmp_path / "ostree/repo/config").open("a") as stream:
            stream.write(f"[sysroot]\n{settings}\n")
        opened.append(Sysroot(str(tmp_path), options=SysrootOptions(environ={"X": "1"})))
        return opened[-1]

    yield make
    for sysroot in opened:
        sysroot.close()


def test_what_a_loader_is_told(make, tmp_path):
    sysroot = make()
    context = loader_context(sysroot, NOTHING)
    assert context == (sysroot.dir_fd, str(tmp_path), "/boot", False, {"X": "1"}, False, None)
    assert find_loader(sysroot, context) is None


@pytest.mark.parametrize(
    ("setting", "prefix", "is_flat"),
    [("bootprefix=true", "", False), ("bootloader=systemd-boot", "", True)],
)
def test_settings(make, setting, prefix, is_flat):
    context = loader_context(make(setting), NOTHING)
    assert (context.prefix, context.is_flat) == (prefix, is_flat)


def test_what_was_left_to_do(make, tmp_path):
    sysroot = make("bootloader=grub2")
    config = tmp_path / "boot/efi/EFI/debian/grub.cfg"
    config.parent.mkdir(parents=True)
    config.write_text("old")
    (config.parent / "grub.cfg.new").write_text("linux /k ostree=/ostree/boot.1/os/3f/0\n")
    finish_loader(sysroot, Loaded(0, 0, ()))
    assert config.read_text() == "old"
    finish_loader(sysroot, NOTHING)
    assert config.read_text().startswith("linux")
    finish_loader(sysroot, NOTHING)
    assert sorted(os.listdir(config.parent)) == ["grub.cfg", "grub.cfg.old"]


def test_a_loader_that_reads_entries_by_itself(make):
    finish_loader(make("bootloader=none"), NOTHING)
