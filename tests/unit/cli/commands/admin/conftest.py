# SPDX-License-Identifier: Apache-2.0
"""A sysroot for the verbs, that does not wait for the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from ostrya.cli import sysroot_lookup
from support.machines import Machine


@dataclass(frozen=True)
class Admin:
    """Runs verbs of ``admin`` on a machine."""

    run: Callable
    machine: Machine

    def ok(self, *argv: object) -> str:
        return self.run.ok("admin", *argv).out

    def fails(self, *argv: object, status: int | None = None) -> str:
        return self.run.fails("admin", *argv, status=status)

    def json(self, *argv: object):
        return self.run.ok("admin", *argv, "--json").json()

    def start(self, at: int = 0) -> None:
        """Let a deployment be the running one, for verbs as well."""
        self.machine.run(at)


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Iterator[Machine]:
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    monkeypatch.setattr("ostrya.sysroot.write_deployments.flush_filesystem", lambda _fd: False)
    monkeypatch.setattr("ostrya.sysroot.write_deployments.sync_filesystem", lambda _fd: None)
    made = Machine(tmp_path)
    yield made
    made.close()


@pytest.fixture
def admin(run, machine, monkeypatch) -> Admin:
    monkeypatch.setenv("OSTREE_SYSROOT", str(machine.root))
    monkeypatch.setenv("OSTREE_SYSROOT_DEBUG", "mutable-deployments")
    monkeypatch.setattr(sysroot_lookup, "find_running", lambda _path: machine.sysroot.running)
    monkeypatch.setattr(sysroot_lookup, "make_writable", lambda: None)
    return Admin(run, machine)
