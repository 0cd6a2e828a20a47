# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya._linux.dirfd import open_dir
from ostrya.boot.trial import Record
from ostrya.boot.trial_store import ClassicEnvironment, GrubFile, UBootFiles
from ostrya.errors import CommandFailed
from ostrya.sysroot import trial_state
from ostrya.sysroot.errors import TrialStateMissing
from ostrya.sysroot.trial_state import open_store


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [
        ("uboot", UBootFiles),
        ("grub2", GrubFile),
        ("systemd-boot", type(None)),
        ("none", type(None)),
    ],
)
def test_in_a_directory(machine, protocol, kind):
    (machine.root / "efi").mkdir()
    machine.configure("ostrya", rollback=protocol, rollback_state="efi")
    with open_store(machine.sysroot, "") as store:
        assert isinstance(store, kind)
        if store is not None:
            store.write(Record("a" * 12 + ".0-0000", 1))
            assert list((machine.root / "efi").iterdir())


def test_of_u_boot_alone(machine):
    machine.configure("ostrya", rollback="uboot-classic", rollback_state="etc/fw.config")
    with open_store(machine.sysroot, "") as store:
        assert isinstance(store, ClassicEnvironment)
        assert store._config == str(machine.root / "etc/fw.config")


@pytest.mark.parametrize(
    ("place", "device"),
    [("/dev/vda1", "/dev/vda1"), ("LABEL=boot", "/dev/vdb1"), ("PARTUUID=1-2", "/dev/vdb1")],
)
def test_on_a_device(machine, monkeypatch, tmp_path, place, device):
    opened = []

    def open_filesystem(name, kind):
        opened.append((name, kind))
        return open_dir(str(tmp_path))

    monkeypatch.setattr(trial_state, "open_filesystem", open_filesystem)
    monkeypatch.setattr(trial_state, "run", lambda _argv: f"{device}\n".encode())
    machine.configure("ostrya", rollback="uboot", rollback_state=place)
    before = len(os.listdir("/proc/self/fd"))
    with open_store(machine.sysroot, "") as store:
        assert isinstance(store, UBootFiles)
    assert opened == [(device, "vfat")]
    assert len(os.listdir("/proc/self/fd")) == before


def test_udevs_link_is_enough(machine, monkeypatch, tmp_path):
    folder = tmp_path / "by-label"
    folder.mkdir()
    (folder / "boot").symlink_to("/dev/null")
    monkeypatch.setitem(trial_state._FOLDERS, "LABEL=", str(folder))
    assert trial_state._find_device("LABEL=boot") == "/dev/null"


def test_no_such_device(machine, monkeypatch):
    def run(argv):
        raise CommandFailed(tuple(argv), 1, "")

    monkeypatch.setattr(trial_state, "run", run)
    machine.configure("ostrya", rollback="grub2", rollback_state="LABEL=gone")
    with (
        pytest.raises(TrialStateMissing, match="LABEL=gone"),
        open_store(machine.sysroot, ""),
    ):
        pass
