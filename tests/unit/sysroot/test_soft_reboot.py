# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ostrya.errors import SysrootError
from ostrya.sysroot import soft_reboot as module
from ostrya.sysroot.composefs import IMAGE
from ostrya.sysroot.errors import NotBooted
from ostrya.sysroot.order import Retain
from ostrya.sysroot.soft_reboot import Places, clear_soft_reboot, prepare_soft_reboot
from ostrya.sysroot.stage import complete_boot
from support.machines import write


@pytest.fixture
def running(machine):
    """A machine with two deployments of one kernel, of which the older one runs."""
    checksum = machine.commit("1")
    machine.deploy(checksum, kargs="quiet")
    machine.deploy(checksum, retain=Retain(all=True))
    machine.run(1)
    return machine


@pytest.fixture
def places(machine):
    return Places(str(machine.top / "nextroot"), str(machine.root), "/nonexistent")


@pytest.fixture
def kernel(monkeypatch):
    """What the kernel was asked to mount, and to unmount."""
    asked: list[object] = []
    monkeypatch.setattr(module, "bind_for_system", lambda binds: asked.append(list(binds)))
    monkeypatch.setattr(module, "unmount_for_system", asked.append)
    return asked


def test_what_is_mounted(running, places, kernel):
    chosen = prepare_soft_reboot(running.sysroot, running.loaded, 0, places)
    assert chosen.soft_reboot
    (binds,) = kernel
    top = places.next_root
    assert [(bind.source, bind.target, bind.read_only) for bind in binds] == [
        (f"{running.root}/{chosen.path}", top, False),
        (f"{top}/usr", f"{top}/usr", True),
        (str(running.root), f"{top}/sysroot", False),
        (f"{running.root}/ostree/deploy/test/var", f"{top}/var", False),
    ]
    assert [one.soft_reboot for one in running.loaded.deployments] == [True, False]
    clear_soft_reboot(running.sysroot, places)
    assert kernel[1:] == [top]
    assert not any(one.soft_reboot for one in running.loaded.deployments)
    # There is nothing left to take back.
    clear_soft_reboot(running.sysroot, places)
    assert len(kernel) == 2


def test_after_the_restart(running, places, kernel):
    chosen = prepare_soft_reboot(running.sysroot, running.loaded, 0, places)
    note = (running.top / "run/nextroot-booted").read_bytes()
    complete_boot(running.sysroot)
    assert (running.top / "run-booted").read_bytes() == note
    assert not any(one.soft_reboot for one in running.loaded.deployments)
    from ostrya.sysroot.running import _noted_root

    found = (running.root / chosen.path).stat()
    assert _noted_root(str(running.top / "run-booted")) == (found.st_dev, found.st_ino)


def test_nothing_is_left_of_a_failure(running, places, kernel, monkeypatch):
    def refuse(_binds):
        raise PermissionError(1, "not allowed")

    monkeypatch.setattr(module, "bind_for_system", refuse)
    with pytest.raises(PermissionError):
        prepare_soft_reboot(running.sysroot, running.loaded, 0, places)
    assert not os.path.exists(places.next_root)
    assert not any(one.soft_reboot for one in running.loaded.deployments)


def test_what_cannot_be_gone_over_to(running, places, kernel):
    with pytest.raises(SysrootError, match="soft-reboot currently booted deployment 1"):
        prepare_soft_reboot(running.sysroot, running.loaded, 1, places)
    write(running.root / running.loaded.deployments[0].path / IMAGE, "")
    with pytest.raises(SysrootError, match="composefs image"):
        prepare_soft_reboot(running.sysroot, running.loaded, 0, places)
    running.deploy(running.commit("2"), retain=Retain(all=True))
    with pytest.raises(SysrootError, match="with different kernel state"):
        prepare_soft_reboot(running.sysroot, running.loaded, 0, places)
    assert kernel == []


def test_only_where_something_runs(machine, places):
    machine.deploy(machine.commit("1"))
    with pytest.raises(NotBooted):
        prepare_soft_reboot(machine.sysroot, machine.loaded, 0, places)


SCRIPT = """
import os, sys
from ostrya._linux.mount import Bind, bind_for_system, unmount_for_system
from support import mounts
mounts.enter_private_namespace()
top, tree = sys.argv[1:]
mine = "/proc/self/ns/mnt"
bind_for_system([Bind(tree, top), Bind(f"{top}/usr", f"{top}/usr", read_only=True)], mine)
assert open(f"{top}/usr/x").read() == "x", "mounted"
open(f"{top}/y", "w").close()
try:
    open(f"{top}/usr/y", "w")
except OSError:
    pass
else:
    sys.exit("usr can be written to")
open(f"{tree}/usr/y", "w").close()
unmount_for_system(top, mine)
assert os.listdir(top) == [], "unmounted"
assert sorted(os.listdir(tree)) == ["usr", "y"], "the source stays"
unmount_for_system(top, mine)
"""


@pytest.mark.loop
def test_the_kernel_mounts_it(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root may")
    write(tmp_path / "tree/usr/x", "x")
    (tmp_path / "top").mkdir()
    argv = [sys.executable, "-c", SCRIPT, str(tmp_path / "top"), str(tmp_path / "tree")]
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        argv, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
