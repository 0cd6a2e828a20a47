# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.repo.errors import RepoNotFound
from ostrya.sysroot.sysroot import Sysroot
from support.small_repos import open_fds


def test_handles_are_opened_when_they_are_asked_for(machine):
    before = open_fds()
    sysroot = machine.open()
    assert sysroot.repo is sysroot.repo
    assert sysroot.boot_fd == sysroot.boot_fd
    assert not sysroot.has_own_boot
    sysroot.close()
    sysroot.close()
    assert open_fds() == before


def test_a_loader_that_reads_one_directory_only(machine):
    assert not machine.sysroot.has_flat_boot
    machine.configure("sysroot", bootloader="systemd-boot")
    assert machine.sysroot.has_flat_boot


def test_what_is_no_sysroot(tmp_path):
    with pytest.raises(FileNotFoundError):
        Sysroot(str(tmp_path / "nothing"))
    with Sysroot(str(tmp_path)) as sysroot, pytest.raises(RepoNotFound):
        sysroot.repo.path  # noqa: B018  # asking is what fails
