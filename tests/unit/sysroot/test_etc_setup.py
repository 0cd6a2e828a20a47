# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import shutil

import pytest

from ostrya.errors import SysrootError
from ostrya.sysroot.etc_setup import merge_etc_from
from support.machines import names_in, write


def test_a_copy_of_the_defaults(machine):
    deployment = machine.deploy(machine.commit("1"))
    root = machine.root / deployment.path
    assert names_in(root / "etc") == names_in(root / "usr/etc")
    # The default is the repository's; this one may be edited.
    assert (root / "usr/etc/default").stat().st_nlink > 1
    assert (root / "etc/default").stat().st_nlink == 1


def test_trees_that_have_them_in_etc(machine):
    def edit(tree):
        (tree / "usr/etc").rename(tree / "etc")

    deployment = machine.deploy(machine.commit("1", edit=edit))
    root = machine.root / deployment.path
    assert (root / "usr/etc/default").read_text() == (root / "etc/default").read_text()


def test_both_is_one_too_many(machine):
    both = machine.commit("1", edit=lambda tree: write(tree / "etc/mine", "mine\n"))
    with pytest.raises(SysrootError, match="Tree contains both /etc and /usr/etc"):
        machine.deploy(both)
    empty = machine.deploy(machine.commit("1", edit=lambda tree: (tree / "etc").mkdir()))
    assert "default" in names_in(machine.root / empty.path / "etc")


def test_trees_without_any(machine):
    def edit(tree):
        write(tree / "usr/lib/os-release", 'NAME=T\nPRETTY_NAME="T O 1"\n')
        shutil.rmtree(tree / "usr/etc")

    deployment = machine.deploy(machine.commit("1", edit=edit))
    assert not (machine.root / deployment.path / "etc").exists()
    # There is nothing to be merged from then.
    fd = os.open(machine.root / deployment.path, os.O_RDONLY)
    try:
        assert merge_etc_from(machine.sysroot, deployment, fd) is None
    finally:
        os.close(fd)


def test_what_was_changed_is_taken_along(machine):
    first = machine.deploy(machine.commit("1"))
    write(machine.etc(first) / "default", "mine\n")
    (machine.etc(first) / "gone").unlink()
    os.mkfifo(machine.etc(first) / "pipe")
    second = machine.deploy(machine.commit("2"))
    etc = machine.etc(second)
    assert (etc / "default").read_text() == "mine\n"
    assert (etc / "owner").read_text() == "owner 2\n"
    assert not (etc / "gone").exists()
    assert "Copying /etc changes: 1 modified, 1 removed, 1 added" in machine.said
    assert "Ignoring non-regular/non-symlink file found during /etc merge: pipe" in machine.said
