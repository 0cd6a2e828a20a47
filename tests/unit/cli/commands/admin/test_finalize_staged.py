# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import signal

import pytest

from ostrya.cli.commands.admin import boot_complete, finalize_staged
from ostrya.errors import SysrootError


@pytest.fixture
def booted(admin, monkeypatch):
    """A machine that runs its first release, and has a second one."""
    for module in (finalize_staged, boot_complete):
        monkeypatch.setattr(module, "is_booted", lambda: True)
    running = admin.machine.sysroot
    monkeypatch.setattr(finalize_staged, "find_running", lambda _path: running.running)
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


def damage_note(machine):
    (machine.top / "run/staged-deployment").write_bytes(b"damaged")
    return "The note of the staged deployment is damaged"


def lose_repository(machine):
    (machine.root / "ostree/repo/config").unlink()
    return "repo"


def damage_settings(machine):
    machine.configure("sysroot", bootloader="none-such")
    return "Invalid bootloader configuration: 'none-such'"


def damage_loader(machine):
    loader = machine.root / "boot/loader"
    loader.unlink()
    loader.symlink_to("elsewhere")
    return "Invalid target 'elsewhere'"


HARMS = [damage_note, lose_repository, damage_settings, damage_loader]


@pytest.mark.parametrize("harm", HARMS)
def test_the_next_boot_knows_why_it_could_not_begin(booted, harm):
    booted.ok("deploy", "--stage", "test/os")
    reason = harm(booted.machine)
    said = booted.fails("finalize-staged")
    assert reason in said
    stamp = booted.machine.root / "boot/ostree/finalize-failure.stamp"
    assert stamp.read_text() == said


def test_nothing_is_noted_of_what_is_not_staged(booted):
    damage_loader(booted.machine)
    booted.fails("finalize-staged")
    assert not (booted.machine.root / "boot/ostree/finalize-failure.stamp").exists()


def test_the_reason_of_what_was_begun_stays(booted, monkeypatch):
    booted.ok("deploy", "--stage", "test/os")

    def fail(*_args):
        raise SysrootError("the first reason")

    monkeypatch.setattr("ostrya.sysroot.stage.finish_deployment", fail)
    assert booted.fails("finalize-staged") == "the first reason"
    monkeypatch.undo()
    stamp = booted.machine.root / "boot/ostree/finalize-failure.stamp"
    assert stamp.read_text() == "the first reason"


def test_a_reason_that_cannot_be_kept(booted, monkeypatch):
    booted.ok("deploy", "--stage", "test/os")
    reason = damage_note(booted.machine)

    def fail(*_args, **_options):
        raise OSError("no room")

    monkeypatch.setattr("ostrya.sysroot.stage.replace_file", fail)
    assert reason in booted.fails("finalize-staged")


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
