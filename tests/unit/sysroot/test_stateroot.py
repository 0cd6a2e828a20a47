# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat

import pytest

from ostrya.errors import SysrootError
from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import open_repository
from ostrya.sysroot.errors import StaterootExists
from ostrya.sysroot.stateroot import make_stateroot, make_sysroot


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _fd: None)


def test_a_root_with_mount_points(tmp_path):
    make_sysroot(str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == [
        "boot", "dev", "home", "ostree", "proc", "root", "run", "sys", "tmp",
    ]  # fmt: skip
    assert (mode(tmp_path / "tmp"), mode(tmp_path / "root")) == (0o1777, 0o700)
    assert sorted(os.listdir(tmp_path / "ostree")) == ["deploy", "repo"]
    with open_repository(str(tmp_path / "ostree/repo")) as repo:
        assert repo.mode == RepoMode.BARE
    # What is there stays.
    (tmp_path / "home/user").mkdir()
    make_sysroot(str(tmp_path))
    assert (tmp_path / "home/user").exists()


@pytest.mark.parametrize(("epoch", "ostree_mode"), [(1, 0o755), (2, 0o700)])
def test_nothing_but_what_is_needed(tmp_path, epoch, ostree_mode):
    make_sysroot(str(tmp_path), epoch=epoch)
    assert sorted(os.listdir(tmp_path)) == ["boot", "ostree"]
    assert mode(tmp_path / "ostree") == ostree_mode


def test_stateroots(machine):
    before = (machine.root / "ostree/deploy").stat().st_mtime_ns
    make_stateroot(machine.sysroot, "other")
    assert os.listdir(machine.root / "ostree/deploy/other") == ["var"]
    assert (machine.root / "ostree/deploy").stat().st_mtime_ns >= before
    with pytest.raises(StaterootExists, match="ostree/deploy/other: File exists"):
        make_stateroot(machine.sysroot, "other")
    for name in ("", "a/b", "..", "a b"):
        with pytest.raises(SysrootError):
            make_stateroot(machine.sysroot, name)
