# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import EBUSY, ENOSPC

import pytest

from ostrya.sysroot import var_setup
from ostrya.sysroot.var_setup import label_var
from ostrya.tree.selinux import SelinuxPolicy
from support.machines import names_in, write

FILLED = [".ostree-selabeled", "lib", "lock", "log", "run", "tmp"]


@pytest.fixture
def var(machine):
    return machine.root / "ostree/deploy/test/var"


def with_var(tree):
    write(tree / "var/lib/app/state", "first\n")


def test_the_first_deployment_fills_it(machine, var):
    machine.deploy(machine.commit("1", edit=with_var))
    assert (var / "lib/app/state").read_text() == "first\n"
    # As nothing makes them at boot.
    assert {"tmp", "log", "run", "lock"} < set(names_in(var))
    assert os.readlink(var / "lock") == "../run/lock"
    assert (var / "tmp").stat().st_mode & 0o7777 == 0o1777
    # It is nobody's but this machine's: no link into the repository.
    assert (var / "lib/app/state").stat().st_nlink == 1


def test_later_ones_leave_it(machine, var):
    machine.deploy(machine.commit("1"))
    write(var / "mine", "mine\n")
    machine.deploy(machine.commit("2", edit=with_var))
    assert not (var / "lib/app").exists()
    assert (var / "mine").read_text() == "mine\n"


def test_trees_that_make_their_own_at_boot(machine, var):
    def edit(tree):
        with_var(tree)
        write(tree / "usr/lib/tmpfiles.d/var.conf", "d /var/tmp\n")

    machine.deploy(machine.commit("1", edit=edit))
    assert names_in(var) == [".ostree-selabeled", "lib"]


def test_trees_without_var(machine, var):
    machine.deploy(machine.commit("1", edit=lambda tree: (tree / "var").rmdir()))
    assert names_in(var) == [".ostree-selabeled"]


def test_labels_are_given_once(machine, var, monkeypatch):
    labelled = []
    monkeypatch.setattr(var_setup, "label_tree", lambda _fd, path, _policy: labelled.append(path))
    label_var(machine.sysroot, "test", SelinuxPolicy("test"))
    label_var(machine.sysroot, "test", SelinuxPolicy("test"))
    assert labelled == ["/var"]
    said = "Relabeling /var (no stamp file 'var/.ostree-selabeled' found)"
    assert machine.said.count(said) == 1
    (var / ".ostree-selabeled").unlink()
    label_var(machine.sysroot, "test", SelinuxPolicy())
    assert labelled == ["/var"]
    assert (var / ".ostree-selabeled").exists()


def refuse_rename(monkeypatch, code: int) -> None:
    real = os.rename

    def rename(source, target, **fds):
        if str(source).endswith("var.new"):
            raise OSError(code, os.strerror(code), source, None, target)
        real(source, target, **fds)

    monkeypatch.setattr(os, "rename", rename)


def test_filled_once(machine, var):
    var.chmod(0o750)
    machine.deploy(machine.commit("1"))
    assert names_in(var) == FILLED
    assert (var / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert var.stat().st_mode & 0o777 == 0o750
    assert names_in(var.parent) == ["backing", "deploy", "var"]
    (var / "log").rmdir()
    machine.deploy(machine.commit("2"))
    assert "log" not in names_in(var)


def test_on_a_file_system_of_its_own(machine, var, monkeypatch):
    refuse_rename(monkeypatch, EBUSY)
    machine.deploy(machine.commit("1"))
    assert names_in(var) == FILLED
    assert names_in(var.parent) == ["backing", "deploy", "var"]


def test_whole_or_not_at_all(machine, var, monkeypatch):
    checksum = machine.commit("1")
    with monkeypatch.context() as patch:
        refuse_rename(patch, ENOSPC)
        with pytest.raises(OSError, match="No space left"):
            machine.deploy(checksum)
    assert names_in(var) == []
    # Nor is anything left of the deployment, which takes room.
    assert names_in(var.parent / "deploy") == []
    machine.deploy(checksum)
    assert names_in(var) == FILLED
