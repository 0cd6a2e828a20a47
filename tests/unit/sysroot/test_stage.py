# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import ENOSPC

import pytest

from ostrya.boot.errors import KernelArgumentError
from ostrya.boot.kargs import KernelArguments
from ostrya.errors import CommandFailed, SysrootError
from ostrya.sysroot import stage as module
from ostrya.sysroot.boot_space import BootSpace
from ostrya.sysroot.deploy import DeployWish
from ostrya.sysroot.errors import BootSpaceError, EtcConflict, NotBooted
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.overlay_initrds import keep_overlay_initrd
from ostrya.sysroot.stage import (
    complete_boot,
    finalize_staged,
    set_finalization_locked,
    stage_deployment,
)
from ostrya.sysroot.staged import failure_reason, read_staged
from ostrya.sysroot.write_deployments import write_deployments
from support.machines import REF

KARGS = "root=LABEL=root quiet"


@pytest.fixture
def booted(machine):
    """A machine that runs its first release, with a second one to come."""
    machine.deploy(machine.commit("1"), kargs=KARGS)
    machine.run()
    return machine


def path_of(machine, deployment):
    return machine.root / deployment.path


def stage(machine, checksum, *, locked=False, kargs=None, overlays=()):
    loaded = machine.loaded
    wish = DeployWish("test", checksum, Origin.following(REF), kargs, overlays)
    return stage_deployment(machine.sysroot, loaded, wish, loaded.booted, locked=locked)


def finalize(machine):
    return finalize_staged(machine.sysroot, machine.loaded)


def test_staged_and_finalized(booted):
    second = booted.commit("2")
    before = booted.entries()
    loaded = stage(booted, second)
    assert loaded.staged is not None
    assert (loaded.staged.checksum, loaded.staged.locked) == (second, False)
    assert booted.entries() == before
    # Laid out, with the new defaults, and its kernel in /boot already.
    staged = path_of(booted, loaded.staged)
    assert (staged / "etc/default").read_text() == "default 2\n"
    assert (booted.root / f"boot/ostree/test-{loaded.staged.bootcsum}").is_dir()
    # Changed while it waits.
    (path_of(booted, loaded.booted) / "etc/same").write_text("mine\n")
    after = finalize(booted)
    assert [one.checksum for one in after.deployments] == [second, loaded.booted.checksum]
    assert after.staged is None
    assert (staged / "etc/same").read_text() == "mine\n"
    assert str(after.deployments[0].kargs) == KARGS
    assert after.deployments[0].origin.refspec == "test/os"
    assert len(booted.entries()) == 2
    # Nothing is left to be done.
    assert finalize(booted) == after


def test_arguments_and_ramdisks_of_its_own(booted, tmp_path):
    extra = tmp_path / "extra.img"
    extra.write_text("extra\n")
    overlay = keep_overlay_initrd(booted.sysroot, str(extra))
    kargs = KernelArguments.parse('root=LABEL=b dyndbg="file a.c +p"')
    stage(booted, booted.commit("2"), kargs=kargs, overlays=(overlay,))
    new = finalize(booted).deployments[0]
    assert new.kargs == kargs
    assert new.overlay_initrds == (overlay,)
    kept = booted.root / f"boot/ostree/initramfs-overlays/{overlay}.img"
    assert kept.read_text() == "extra\n"
    assert not list((booted.top / "run/staged-initrds").iterdir())


def test_arguments_that_no_entry_holds(booted):
    second = booted.commit("2")
    before = sorted(booted.root.rglob("*"))
    with pytest.raises(KernelArgumentError, match="a quote that does not end"):
        stage(booted, second, kargs=KernelArguments.parse('a="b'))
    assert sorted(booted.root.rglob("*")) == before


def test_one_in_place_of_another(booted):
    first = stage(booted, booted.commit("2")).staged
    second = stage(booted, booted.commit("3")).staged
    assert first is not None
    assert second is not None
    assert not path_of(booted, first).exists()
    assert path_of(booted, second).exists()
    # Its kernel went with it.
    kernels = {path.name for path in (booted.root / "boot/ostree").iterdir()}
    assert f"test-{first.bootcsum}" not in kernels


def test_another_change_gives_it_up(booted):
    staged = stage(booted, booted.commit("2")).staged
    loaded = booted.loaded
    assert read_staged(booted.sysroot) is not None
    write_deployments(booted.sysroot, loaded, loaded.deployments)
    assert read_staged(booted.sysroot) is None
    assert not path_of(booted, staged).exists()


def test_it_stays_if_it_is_first(booted):
    staged = stage(booted, booted.commit("2")).staged
    loaded = booted.loaded
    write_deployments(booted.sysroot, loaded, loaded.all)
    assert booted.loaded.staged == staged


def test_only_where_something_runs(machine):
    machine.deploy(machine.commit("1"))
    with pytest.raises(NotBooted, match="Cannot stage deployment"):
        stage(machine, machine.commit("2"))


def test_a_conflict_stops_it_now(booted):
    second = booted.commit("2")
    conflict = path_of(booted, booted.loaded.deployments[0]) / "etc/dir"
    os.rename(conflict, conflict.with_name("elsewhere"))
    conflict.write_text("a file now\n")
    with pytest.raises(EtcConflict):
        stage(booted, second)
    assert booted.loaded.staged is None
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
        stage(booted, booted.commit("2"))
    assert booted.loaded.staged is None


def test_nobody_would_finalize_it(booted):
    running = booted.sysroot.running
    booted.sysroot.running = running._replace(finalize_service="no-such.service")
    with pytest.raises(CommandFailed):
        stage(booted, booted.commit("2"))
    assert booted.loaded.staged is None


def test_locked_until_it_is_let_go(booted):
    stage(booted, booted.commit("2"), locked=True)
    legacy = booted.top / "run/staged-deployment-locked"
    assert legacy.exists()
    before = booted.loaded
    assert before.staged.locked
    assert finalize(booted) == before
    assert not set_finalization_locked(booted.sysroot, locked=True)
    assert set_finalization_locked(booted.sysroot, locked=False)
    assert not legacy.exists()
    assert not set_finalization_locked(booted.sysroot, locked=False)
    assert finalize(booted).staged is None


def test_nothing_to_lock(booted):
    with pytest.raises(SysrootError, match="No staged deployment"):
        set_finalization_locked(booted.sysroot, locked=True)


def test_a_failure_is_told_after_the_next_boot(booted):
    loaded = stage(booted, booted.commit("2"))
    before = booted.entries()
    conflict = path_of(booted, loaded.booted) / "etc/dir"
    os.rename(conflict, conflict.with_name("elsewhere"))
    conflict.write_text("a file now\n")
    with pytest.raises(EtcConflict) as caught:
        finalize(booted)
    assert booted.entries() == before
    assert failure_reason(booted.sysroot) == str(caught.value)
    with pytest.raises(SysrootError, match="failed on previous boot: During /etc merge"):
        complete_boot(booted.sysroot)
    # Once only; but whoever asks is told until the next boot.
    complete_boot(booted.sysroot)
    assert failure_reason(booted.sysroot) == str(caught.value)
    for path in (booted.top / "run").iterdir():
        if path.is_file():
            path.unlink()
    assert failure_reason(booted.sysroot) is None


def test_a_deployment_that_is_gone_cannot_be_merged_from(booted):
    stage(booted, booted.commit("2"))
    loaded = booted.loaded
    gone = loaded._replace(deployments=())
    with pytest.raises(SysrootError, match="Failed to find merge"):
        finalize_staged(booted.sysroot, gone)


def test_stopped_halfway_is_told_too(booted, monkeypatch):
    """By a service manager that has waited long enough, say."""
    stage(booted, booted.commit("2"))

    class Stopped(BaseException):
        pass

    def stop(*_args, **_more):
        raise Stopped

    monkeypatch.setattr(module, "write_deployments", stop)
    with pytest.raises(Stopped):
        finalize(booted)
    assert failure_reason(booted.sysroot) == "it was interrupted: Stopped"
    assert booted.loaded.staged is None


def test_ramdisks_are_in_boot_before_the_shutdown(booted, tmp_path):
    extra = tmp_path / "extra.img"
    extra.write_text("extra\n")
    overlay = keep_overlay_initrd(booted.sysroot, str(extra))
    stage(booted, booted.commit("2"), overlays=(overlay,))
    kept = booted.root / f"boot/ostree/initramfs-overlays/{overlay}.img"
    assert kept.read_text() == "extra\n"


def test_a_kernel_staged_before_makes_room(booted, monkeypatch):
    """``/boot`` holds one more kernel, not two."""
    first = stage(booted, booted.commit("2")).staged
    boot = booted.root / "boot/ostree"

    def measure(_sysroot, _old, _new):
        return BootSpace(1, 0, fits=len(list(boot.iterdir())) < 2, fits_after=True)

    monkeypatch.setattr(module, "measure_boot_space", measure)
    monkeypatch.setattr("ostrya.sysroot.boot_space.measure_boot_space", measure)
    second = stage(booted, booted.commit("3")).staged
    assert second is not None
    assert not (boot / f"test-{first.bootcsum}").exists()
    assert (boot / f"test-{second.bootcsum}").exists()


@pytest.mark.parametrize("has_room", [True, False])
def test_no_room_at_shutdown(booted, monkeypatch, has_room):
    staged = stage(booted, booted.commit("2")).staged
    before = booted.entries()

    def refuse(*_args, **_options):
        raise OSError(ENOSPC, os.strerror(ENOSPC), "boot/loader.0")

    monkeypatch.setattr(module, "write_deployments", refuse)
    if not has_room:
        monkeypatch.setattr(module, "replace_file", refuse)
    with pytest.raises(OSError, match="No space left"):
        finalize(booted)
    assert booted.entries() == before
    # It will never be booted, and the reason may need its room.
    assert not path_of(booted, staged).exists()
    said = f"{booted.root}/boot/loader.0: No space left on device" if has_room else None
    assert failure_reason(booted.sysroot) == said


def test_what_boots_already_is_not_given_up(booted, monkeypatch):
    stage(booted, booted.commit("2"))

    def refuse(*_args, **_options):
        raise OSError(ENOSPC, os.strerror(ENOSPC))

    monkeypatch.setattr(module, "clean_up_after", refuse)
    with pytest.raises(OSError, match="No space left"):
        finalize(booted)
    assert len(booted.loaded.deployments) == 2
    assert path_of(booted, booted.loaded.deployments[0]).exists()
