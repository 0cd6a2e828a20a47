# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya._linux.flock import LockHolder
from ostrya.cli import sysroot_lookup
from ostrya.cli.environment import Environment
from ostrya.cli.options import ADMIN, JSON
from ostrya.cli.parser import parse_arguments
from ostrya.cli.sysroot_lookup import (
    changing_sysroot,
    print_current_dir,
    reading_sysroot,
    sysroot_options,
)
from ostrya.errors import SysrootError
from ostrya.sysroot.loading import Loaded
from ostrya.sysroot.stateroot import make_sysroot
from ostrya.sysroot.sysroot import Running


@pytest.fixture
def root(tmp_path):
    (tmp_path / "sysroot").mkdir()
    make_sysroot(str(tmp_path / "sysroot"))
    return tmp_path / "sysroot"


def parse(*argv):
    return parse_arguments((*ADMIN, JSON), argv)


def test_which_one(root):
    with reading_sysroot(parse(f"--sysroot={root}"), Environment()) as (sysroot, loaded):
        assert (sysroot.path, loaded) == (str(root), Loaded(0, 0, ()))
    with reading_sysroot(parse(), Environment(sysroot=str(root))) as (sysroot, _):
        assert sysroot.path == str(root)


def test_the_lock_is_held(root):
    with changing_sysroot(parse(), Environment(sysroot=str(root))):
        assert (root / "ostree/lock").exists()
    assert not (root / "ostree/lock").exists()


def test_the_running_system_is_its_administrators(root, monkeypatch):
    class Running:
        booted = object()

    monkeypatch.setattr(sysroot_lookup, "load_sysroot", lambda _sysroot: Running)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with (
        pytest.raises(SysrootError, match="You must be root to perform this command"),
        changing_sysroot(parse(), Environment(sysroot=str(root))),
    ):
        pass


def test_no_current_directory(root):
    with pytest.raises(SysrootError, match="Unable to find a deployment in sysroot"):
        print_current_dir(parse(), Environment(sysroot=str(root)))


def test_what_the_environment_wants():
    found = sysroot_options(
        Environment(
            sysroot_debug=frozenset({"mutable-deployments", "no-xattrs", "no-dtb"}),
            sysroot_options=frozenset({"no-early-prune", "bootloader-naming-1"}),
            loader_variables={"OSTREE_GRUB2_EXEC": "x"},
        )
    )
    assert found.mutable_deployments
    assert not found.with_xattrs
    assert not found.with_devicetrees
    assert found.early_prune is False
    assert found.old_entry_names
    assert found.environ == {"OSTREE_GRUB2_EXEC": "x"}
    assert sysroot_options(Environment()).early_prune is None


def test_the_running_system_is_made_writable(root, monkeypatch):
    done = []
    identity = root.stat().st_dev, root.stat().st_ino
    monkeypatch.setattr(sysroot_lookup, "find_running", lambda _path: Running(identity))
    monkeypatch.setattr(sysroot_lookup, "make_writable", lambda: done.append(True))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with (
        pytest.raises(SysrootError, match="no boot entry leads to"),
        changing_sysroot(parse(), Environment(sysroot=str(root))),
    ):
        pass
    assert done == [True]


@pytest.mark.parametrize("option", ["", "--json"])
def test_what_happens_is_told(root, capfd, option):
    with reading_sysroot(parse(*option.split()), Environment(sysroot=str(root))) as (sysroot, _):
        sysroot.tell("done")
    found = capfd.readouterr()
    # Standard output may be for JSON alone.
    assert (found.err if option else found.out) == "done\n"


def test_who_holds_the_lock(capfd):
    sysroot_lookup._say_who_holds_the_lock([LockHolder(7, "upgrade", 0.0)])
    found = capfd.readouterr()
    assert found.out == "Waiting for sysroot lock...\n"
    assert "it is held by pid 7 (upgrade)" in found.err
    sysroot_lookup._say_who_holds_the_lock([])
    assert capfd.readouterr().err == ""
