# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.boot.kargs import KernelArguments
from ostrya.errors import CommandFailed, SysrootError
from ostrya.sysroot import stage as module
from ostrya.sysroot.errors import BootSpaceError, EtcConflict, NotBooted
from ostrya.sysroot.overlay_initrds import keep_overlay_initrd
from ostrya.sysroot.stage import (
    complete_boot,
    finalize_staged,
    set_finalization_locked,
    stage_deployment,
)
from ostrya.sysroot.staged import failure_reason, read_staged
from ostrya.sysroot.write_deployments import write_deployments
from support.library_machines import KARGS


@pytest.fixture
def booted(machine):
    """A machine that runs its first release, with a second one to come."""
    machine.deploy(machine.release("1"), KARGS)
    machine.boot()
    return machine


def stage(machine, checksum, *, locked=False, kargs=None, overlays=()):
    with machine.open() as sysroot:
        loaded = machine.load()
        wish = machine.wish(checksum, kargs)._replace(overlay_initrds=overlays)
        return stage_deployment(sysroot, loaded, wish, loaded.booted, locked=locked)


def finalize(machine):
    with machine.open() as sysroot:
        return finalize_staged(sysroot, machine.load())


def test_staged_and_finalized(booted):
    second = booted.release("2")
    before = booted.entries()
    loaded = stage(booted, second)
    assert loaded.staged is not None
    assert (loaded.staged.checksum, loaded.staged.locked) == (second, False)
    assert booted.entries() == before
    # Laid out, with the new defaults, and its kernel in /boot already.
    staged = booted.path(loaded.staged)
    assert (staged / "etc/default").read_text() == "default 2\n"
    assert (booted.root / f"boot/ostree/test-{loaded.staged.bootcsum}").is_dir()
    # Changed while it waits.
    (booted.path(loaded.booted) / "etc/same").write_text("mine\n")
    after = finalize(booted)
    assert [one.checksum for one in after.deployments] == [second, loaded.booted.checksum]
    assert after.staged is None
    assert (staged / "etc/same").read_text() == "mine\n"
    assert after.deployments[0].kargs == KARGS
    assert after.deployments[0].origin.refspec == "test/os"
    assert len(booted.entries()) == 2
    # Nothing is left to be done.
    assert finalize(booted) == after


def test_arguments_and_ramdisks_of_its_own(booted, tmp_path):
    extra = tmp_path / "extra.img"
    extra.write_text("extra\n")
    with booted.open() as sysroot:
        overlay = keep_overlay_initrd(sysroot, str(extra))
    kargs = KernelArguments.parse('root=LABEL=b dyndbg="file a.c +p"')
    stage(booted, booted.release("2"), kargs=kargs, overlays=(overlay,))
    new = finalize(booted).deployments[0]
    assert new.kargs == kargs
    assert new.overlay_initrds == (overlay,)
    kept = booted.root / f"boot/ostree/initramfs-overlays/{overlay}.img"
    assert kept.read_text() == "extra\n"
    assert not list((booted.top / "run/staged-initrds").iterdir())


def test_one_in_place_of_another(booted):
    first = stage(booted, booted.release("2")).staged
    second = stage(booted, booted.release("3")).staged
    assert first is not None
    assert second is not None
    assert not booted.path(first).exists()
    assert booted.path(second).exists()
    # Its kernel went with it.
    kernels = {path.name for path in (booted.root / "boot/ostree").iterdir()}
    assert f"test-{first.bootcsum}" not in kernels


def test_another_change_gives_it_up(booted):
    staged = stage(booted, booted.release("2")).staged
    loaded = booted.load()
    with booted.open() as sysroot:
        assert read_staged(sysroot) is not None
        write_deployments(sysroot, loaded, loaded.deployments)
        assert read_staged(sysroot) is None
    assert not booted.path(staged).exists()


def test_it_stays_if_it_is_first(booted):
    staged = stage(booted, booted.release("2")).staged
    loaded = booted.load()
    with booted.open() as sysroot:
        write_deployments(sysroot, loaded, loaded.all)
    assert booted.load().staged == staged


def test_only_where_something_runs(machine):
    machine.deploy(machine.release("1"))
    with pytest.raises(NotBooted, match="Cannot stage deployment"):
        stage(machine, machine.release("2"))


def test_a_conflict_stops_it_now(booted):
    second = booted.release("2")
    conflict = booted.path(booted.load().deployments[0]) / "etc/dir"
    os.rename(conflict, conflict.with_name("elsewhere"))
    conflict.write_text("a file now\n")
    with pytest.raises(EtcConflict):
        stage(booted, second)
    assert booted.load().staged is None
    deploy = booted.root / "ostree/deploy/test"
    assert len([path for path in (deploy / "deploy").iterdir() if path.is_dir()]) == 1
    # Nothing of it is beside it either.
    assert not list(deploy.glob(f"backing/{second}*"))
    assert not list(deploy.glob(f"deploy/{second}*"))


def test_no_room_for_its_kernel(booted, monkeypatch):
    def refuse(_sysroot, _old, _new):
        raise BootSpaceError(1, "make room")

    monkeypatch.setattr(module, "require_boot_space", refuse)
    with pytest.raises(BootSpaceError):
        stage(booted, booted.release("2"))
    assert booted.load().staged is None


def test_nobody_would_finalize_it(booted):
    booted.running = booted.running._replace(finalize_service="no-such.service")
    with pytest.raises(CommandFailed):
        stage(booted, booted.release("2"))
    assert booted.load().staged is None


def test_locked_until_it_is_let_go(booted):
    stage(booted, booted.release("2"), locked=True)
    legacy = booted.top / "run/staged-deployment-locked"
    assert legacy.exists()
    before = booted.load()
    assert before.staged.locked
    assert finalize(booted) == before
    with booted.open() as sysroot:
        assert not set_finalization_locked(sysroot, locked=True)
        assert set_finalization_locked(sysroot, locked=False)
        assert not legacy.exists()
        assert not set_finalization_locked(sysroot, locked=False)
    assert finalize(booted).staged is None


def test_nothing_to_lock(booted):
    with booted.open() as sysroot, pytest.raises(SysrootError, match="No staged deployment"):
        set_finalization_locked(sysroot, locked=True)


def test_a_failure_is_told_after_the_next_boot(booted):
    loaded = stage(booted, booted.release("2"))
    before = booted.entries()
    conflict = booted.path(loaded.booted) / "etc/dir"
    os.rename(conflict, conflict.with_name("elsewhere"))
    conflict.write_text("a file now\n")
    with pytest.raises(EtcConflict) as caught:
        finalize(booted)
    assert booted.entries() == before
    with booted.open() as sysroot:
        assert failure_reason(sysroot) == str(caught.value)
        with pytest.raises(SysrootError, match="failed on previous boot: During /etc merge"):
            complete_boot(sysroot)
        # Once only; but whoever asks is told until the next boot.
        complete_boot(sysroot)
        assert failure_reason(sysroot) == str(caught.value)
    for path in (booted.top / "run").iterdir():
        if path.is_file():
            path.unlink()
    with booted.open() as sysroot:
        assert failure_reason(sysroot) is None


def test_a_deployment_that_is_gone_cannot_be_merged_from(booted):
    stage(booted, booted.release("2"))
    loaded = booted.load()
    gone = loaded._replace(deployments=())
    with booted.open() as sysroot, pytest.raises(SysrootError, match="Failed to find merge"):
        finalize_staged(sysroot, gone)
