# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import signal

import pytest

from ostrya.cli.commands.admin import boot_complete, finalize_staged


@pytest.fixture
def booted(admin, monkeypatch):
    """A machine that runs its first release, and has a second one."""
    for module in (finalize_staged, boot_complete):
        monkeypatch.setattr(module, "is_booted", lambda: True)
    admin.machine.deploy(admin.machine.commit("1"))
    admin.start()
    admin.machine.commit("2")
    return admin


def test_at_shutdown(booted):
    booted.ok("deploy", "--stage", "--karg=quiet", "test/os")
    before = booted.machine.loaded
    assert before.staged is not None
    booted.ok("finalize-staged")
    after = booted.machine.loaded
    assert (after.staged, after.deployments[0].checksum) == (None, before.staged.checksum)
    assert str(after.deployments[0].kargs) == "quiet"
    # Nothing was left behind that somebody has to be told of.
    booted.ok("boot-complete")
    assert booted.json("status")["finalize_failure"] is None


def test_boot_is_held(booted, monkeypatch):
    held = []
    monkeypatch.setattr(signal, "pause", lambda: held.append(True))
    booted.ok("finalize-staged", "--hold")
    assert held == [True]


def test_on_another_system(admin, monkeypatch):
    monkeypatch.setattr(finalize_staged, "is_booted", lambda: False)
    monkeypatch.setenv("OSTREE_SYSROOT", "/nonexistent")
    admin.ok("finalize-staged")


@pytest.mark.parametrize("word", ["--retain-pending", "--retain-rollback"])
def test_what_does_not_go_together(booted, word):
    error = "--stage cannot currently be combined with --retain arguments"
    assert booted.fails("deploy", "--stage", word, "test/os") == error
    error = "--stage cannot currently be combined with --not-as-default"
    assert booted.fails("deploy", "--stage", "--not-as-default", "test/os") == error
