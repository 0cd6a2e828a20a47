# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import EBUSY, ENOSPC

import pytest

from support.machines import names_in

FILLED = [".ostree-selabeled", "lib", "lock", "log", "run", "tmp"]


@pytest.fixture
def var(machine):
    return machine.root / "ostree/deploy/test/var"


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
