# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import EPERM
from pathlib import Path

import pytest

from ostrya.errors import SysrootError
from ostrya.sysroot import unlock as module
from ostrya.sysroot.deployment import Unlocked
from ostrya.sysroot.errors import NotBooted
from ostrya.sysroot.unlock import unlock
from support import mounts
from support.machines import Machine, names_in
from support.policies import write_policy


@pytest.fixture
def mounted(monkeypatch):
    """How the kernel was asked, and what was there then."""
    found = []

    def mount_overlay(target, options, *, dir_fd, read_only):
        # Paths in the options are good now, and relative to the deployment.
        dirs = dict(pair.split("=") for pair in options.split(","))
        places = [os.path.join(f"/proc/self/fd/{dir_fd}", path) for path in dirs.values()]
        modes = [os.stat(place).st_mode & 0o7777 for place in places]
        found.append((target, [os.path.realpath(place) for place in places], modes, read_only))

    monkeypatch.setattr(module, "mount_overlay", mount_overlay)
    return found


@pytest.fixture
def running(machine) -> Machine:
    machine.deploy(machine.commit("1"), kargs="quiet")
    machine.run(0)
    return machine


@pytest.mark.parametrize(
    ("how", "read_only"), [(Unlocked.DEVELOPMENT, False), (Unlocked.TRANSIENT, True)]
)
def test_until_the_next_start(running, mounted, how, read_only):
    old_umask = os.umask(0o077)
    try:
        found = unlock(running.sysroot, running.loaded, how)
    finally:
        os.umask(old_umask)
    assert found.unlocked is how
    backing = running.root / f"ostree/deploy/test/backing/{found.name}/usr-transient"
    ((target, dirs, modes, was_read_only),) = mounted
    assert target == str(running.top / "usr")
    assert dirs == [
        str(running.root / found.path / "usr"),
        str(backing / "upper"),
        str(backing / "work"),
    ]
    # What is seen as /usr has its mode, whatever the umask is.
    assert len(set(modes)) == 1
    assert was_read_only is read_only
    assert (running.top / f"run/deployment-state/{found.name}/unlocked-{how.value}").exists()
    assert running.loaded.deployments[0].unlocked is how
    with pytest.raises(SysrootError, match=f"already in unlocked state: {how.value}"):
        unlock(running.sysroot, running.loaded, how)


def test_nothing_of_an_earlier_start_is_left(running, mounted):
    name = running.loaded.deployments[0].name
    left = running.root / f"ostree/deploy/test/backing/{name}/usr-transient/upper/left"
    left.mkdir(parents=True)
    unlock(running.sysroot, running.loaded, Unlocked.DEVELOPMENT)
    assert not left.exists()


def test_for_good(running, mounted):
    (before,) = running.loaded.deployments
    found = unlock(running.sysroot, running.loaded, Unlocked.HOTFIX)
    first, clone = running.loaded.deployments
    assert (first.name, first.unlocked) == (before.name, Unlocked.HOTFIX)
    assert (clone.checksum, clone.name.serial) == (before.checksum, 1)
    assert (clone.unlocked, str(clone.kargs)) == (Unlocked.NONE, "quiet")
    root = running.root / found.path
    assert {".usr-ovl-upper", ".usr-ovl-work"} < set(names_in(root))
    assert mounted[0][1] == [
        str(root / name) for name in ("usr", ".usr-ovl-upper", ".usr-ovl-work")
    ]


def test_labels(machine, mounted, monkeypatch):
    labels = []
    (machine.root / "ostree/deploy/test/var/.ostree-selabeled").touch()
    machine.deploy(machine.commit("1", edit=write_policy))
    loaded = machine.run(0)
    monkeypatch.setattr(module.os, "setxattr", lambda _place, _name, value: labels.append(value))
    unlock(machine.sysroot, loaded, Unlocked.DEVELOPMENT)
    assert labels == [b"system_u:object_r:usr_t:s0\0"] * 2


def test_nothing_runs(machine, mounted):
    machine.deploy(machine.commit("1"))
    with pytest.raises(NotBooted, match="Not currently booted into an OSTree system"):
        unlock(machine.sysroot, machine.loaded, Unlocked.DEVELOPMENT)
    assert mounted == []


def test_what_the_kernel_refuses(running, monkeypatch):
    def refuse(target, *_words, **_options):
        raise OSError(EPERM, "Operation not permitted", target)

    monkeypatch.setattr(module, "mount_overlay", refuse)
    with pytest.raises(SysrootError, match=r"Failed overlayfs mount: .*usr: Operation not perm"):
        unlock(running.sysroot, running.loaded, Unlocked.DEVELOPMENT)
    assert running.loaded.deployments[0].unlocked is Unlocked.NONE


@pytest.mark.loop
def test_a_real_one(tmp_path, monkeypatch):
    if reason := mounts.missing("overlayfs"):
        pytest.skip(reason)
    top: Path = mounts.mount("tmpfs", tmp_path)
    machine = Machine(top)
    try:
        deployment = machine.deploy(machine.commit("1"))
        (top / "usr").mkdir()
        unlock(machine.sysroot, machine.run(0), Unlocked.DEVELOPMENT)
        (top / "usr/bin/tool").write_text("mine\n")
        assert "echo 1" in (machine.root / deployment.path / "usr/bin/tool").read_text()
    finally:
        machine.close()
        mounts.unmount(tmp_path)
