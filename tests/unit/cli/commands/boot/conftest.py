# SPDX-License-Identifier: Apache-2.0
"""A machine with automatic rollback for the verbs, that does not wait for the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from ostrya.cli import kernel_line, sysroot_lookup
from support.trial_world import TrialMachine


@dataclass
class Boot:
    """Runs verbs on a machine that was started by its loader."""

    run: Callable
    machine: TrialMachine

    def ok(self, *argv: object) -> str:
        return self.run.ok("boot", *argv).out

    def fails(self, *argv: object, status: int | None = None) -> str:
        return self.run.fails("boot", *argv, status=status)

    def json(self, *argv: object):
        return self.run.ok("boot", *argv, "--json").json()


@pytest.fixture
def boot(run, tmp_path, monkeypatch) -> Iterator[Boot]:
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    monkeypatch.setattr("ostrya.sysroot.write_deployments.flush_filesystem", lambda _fd: False)
    monkeypatch.setattr("ostrya.sysroot.write_deployments.sync_filesystem", lambda _fd: None)
    machine = TrialMachine(tmp_path)
    monkeypatch.setenv("OSTREE_SYSROOT", str(machine.root))
    monkeypatch.setenv("OSTREE_SYSROOT_DEBUG", "mutable-deployments")
    monkeypatch.setattr(sysroot_lookup, "find_running", lambda _path: machine.sysroot.running)
    monkeypatch.setattr(sysroot_lookup, "make_writable", lambda: None)
    monkeypatch.setattr(kernel_line, "read_text_file", lambda _path: f"{machine.kargs}\n")
    machine.first = machine.deploy(machine.commit("1"))
    machine.start()
    yield Boot(run, machine)
    machine.close()
