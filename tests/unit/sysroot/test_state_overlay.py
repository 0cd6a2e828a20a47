# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import EPERM

import pytest

from ostrya._linux.dirfd import open_dir
from ostrya.errors import SysrootError
from ostrya.sysroot import state_overlay as module
from ostrya.sysroot.errors import NotBooted
from ostrya.sysroot.state_overlay import drop_shadows, mount_state_overlay
from support.machines import Machine, names_in, write
from support.small_repos import need_user_xattrs


@pytest.fixture
def mounted(monkeypatch):
    found = []
    monkeypatch.setattr(
        module, "mount_overlay", lambda target, options, **_fd: found.append((target, options))
    )
    return found


@pytest.fixture
def running(machine) -> Machine:
    need_user_xattrs(machine.top)
    machine.deploy(machine.commit("1"))
    machine.run(0)
    write(machine.top / "opt/app/file", "1\n")
    return machine


def mount(machine, name="opt"):
    mount_state_overlay(machine.sysroot, machine.loaded, name, str(machine.top / "opt"))


def test_what_is_written_is_kept(running, mounted):
    mount(running)
    layers = running.top / "var/ostree/state-overlays/opt"
    assert names_in(layers) == ["upper", "work"]
    assert mounted == [
        (
            str(running.top / "opt"),
            f"lowerdir={running.top}/opt,upperdir={layers}/upper,workdir={layers}/work",
        )
    ]
    write(layers / "upper/app/file", "mine\n")
    mount(running)
    # The same commit is below.
    assert (layers / "upper/app/file").exists()


def test_another_commit_is_seen(running, mounted):
    mount(running)
    upper = running.top / "var/ostree/state-overlays/opt/upper"
    write(upper / "app/file", "mine\n")
    write(upper / "app/state", "mine\n")
    running.deploy(running.commit("2"))
    running.run(0)
    mount(running)
    assert names_in(upper / "app") == ["state"]
    assert os.getxattr(upper, "user.ostree.deploymentcsum").decode() == (
        running.loaded.deployments[0].checksum
    )


def test_what_shadows(tmp_path, monkeypatch):
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    for path in ("both/file", "kind", "opaque/x"):
        write(lower / path, "old\n")
    for path in ("both/file", "both/mine", "kind/x", "opaque/y", "mine"):
        write(upper / path, "new\n")
    real = module._attribute
    monkeypatch.setattr(
        module,
        "_attribute",
        lambda path, name: b"y" if path.endswith("/opaque") else real(path, name),
    )
    fds = [open_dir(str(path)) for path in (lower, upper)]
    try:
        drop_shadows(*fds)
    finally:
        for fd in fds:
            os.close(fd)
    assert names_in(upper) == ["both", "mine"]
    assert names_in(upper / "both") == ["mine"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a:b", "a,b", "a\\b"])
def test_names_that_are_none(running, mounted, name):
    with pytest.raises(SysrootError, match="Invalid name of a state overlay"):
        mount(running, name)
    assert mounted == []


def test_nothing_runs(machine, mounted):
    with pytest.raises(NotBooted, match="Must be booted"):
        mount_state_overlay(machine.sysroot, machine.loaded, "opt", "/opt")


def test_what_the_kernel_refuses(running, monkeypatch):
    def refuse(*_words, **_options):
        raise OSError(EPERM, "Operation not permitted")

    monkeypatch.setattr(module, "mount_overlay", refuse)
    with pytest.raises(SysrootError, match=r"mount\(.*/opt\): Operation not permitted"):
        mount(running)
