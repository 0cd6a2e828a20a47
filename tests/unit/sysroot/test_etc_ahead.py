# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import shutil

import pytest

from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.deletion import delete_object
from ostrya.sysroot.errors import EtcConflict
from ostrya.sysroot.etc_ahead import EtcDefaults, EtcStep, plan_etc_ahead, require_mergeable
from ostrya.sysroot.etc_plan import Kind
from support.machines import write


@pytest.fixture
def merge(machine):
    return machine.deploy(machine.commit("1"))


def plan(machine, merge, checksum) -> dict[str, EtcStep]:
    return {step.path: step for step in plan_etc_ahead(machine.sysroot, merge, checksum)}


def test_every_outcome(machine, merge):
    etc = machine.etc(merge)
    write(etc / "default", "mine\n")
    write(etc / "same", "mine\n")
    write(etc / "new", "mine\n")
    write(etc / "both", "mine\n")
    write(etc / "gone", "mine\n")
    (etc / "link").unlink()
    (etc / "owner").unlink()
    os.mkfifo(etc / "pipe")

    def edit(tree):
        write(tree / "usr/etc/both", "theirs\n")
        write(tree / "usr/etc/fresh", "theirs\n")
        shutil.rmtree(tree / "usr/etc/dropped")
        (tree / "usr/etc/gone").unlink()
        (tree / "usr/etc/link").unlink()

    found = plan(machine, merge, machine.commit("2", edit=edit))
    said = {path: (step.outcome, step.why) for path, step in found.items()}
    assert said == {
        "both": ("kept", "made here; the new default is not used"),
        "default": (
            "kept",
            "changed here; the new default, which has changed too, is not used",
        ),
        "dir/file": ("updated", "the new default"),
        "dropped": ("removed", "no default any more"),
        "fresh": ("added", "a new default"),
        "gone": ("kept", "changed here; the new defaults have none"),
        "link": ("deleted", "deleted here"),
        "new": ("kept", "made here"),
        "os-release": ("updated", "the new default"),
        "owner": ("deleted", "deleted here; the new default is not used"),
        "pipe": ("ignored", "a pipe, socket or device is not taken along"),
        "same": ("kept", "changed here"),
    }


def test_conflicts_come_first(machine, merge):
    etc = machine.etc(merge)
    write(etc / "a", "mine\n")
    write(etc / "zz", "mine\n")
    (etc / "dir/file").write_text("mine\n")

    def edit(tree):
        write(tree / "usr/etc/zz/conf", "theirs\n")
        shutil.rmtree(tree / "usr/etc/dir")
        write(tree / "usr/etc/dir", "theirs\n")

    checksum = machine.commit("2", edit=edit)
    steps = plan_etc_ahead(machine.sysroot, merge, checksum)
    assert steps[:2] == [
        EtcStep(
            "dir/file", "conflict", "it lies in dir, which is no directory in the new defaults"
        ),
        EtcStep("zz", "conflict", "a file here, a directory in the new defaults"),
    ]
    assert all(step.outcome != "conflict" for step in steps[2:])
    with pytest.raises(EtcConflict) as caught:
        require_mergeable(machine.sysroot, merge, checksum)
    assert caught.value.path in {"dir", "zz"}


def test_other_kinds_are_no_conflict_by_themselves(machine, merge):
    (machine.etc(merge) / "dir").chmod(0o700)

    def edit(tree):
        shutil.rmtree(tree / "usr/etc/dropped")
        write(tree / "usr/etc/dropped", "now a file\n")

    checksum = machine.commit("2", edit=edit)
    # Nothing was changed there on this machine.
    require_mergeable(machine.sysroot, merge, checksum)
    found = plan(machine, merge, checksum)
    assert found["dir"].outcome == "ignored"
    assert found["dir"].why == "the owner or mode of a directory by itself is not taken along"
    assert found["dropped"].outcome == "updated"


def test_no_changes(machine, merge):
    require_mergeable(machine.sysroot, merge, merge.checksum)
    assert plan_etc_ahead(machine.sysroot, merge, merge.checksum) == []


def test_files_need_not_be_here(machine, merge):
    checksum = machine.commit("2")
    repo = machine.sysroot.repo
    defaults = EtcDefaults(repo, checksum)
    assert defaults.kind("link") is Kind.SYMLINK
    for path in ("link", "default"):
        entry = defaults.entry(path)
        if path == "default":
            delete_object(repo, ObjectName(entry.checksum, ObjectType.FILE))
    kinds = [defaults.kind(path) for path in ("default", "dir", "none", "default/x")]
    assert kinds == [Kind.FILE, Kind.DIRECTORY, Kind.ABSENT, Kind.ABSENT]
    assert plan(machine, merge, checksum)["default"].outcome == "updated"


def test_a_commit_without_defaults(machine, merge):
    write(machine.etc(merge) / "same", "mine\n")
    checksum = machine.commit("2", edit=lambda tree: shutil.rmtree(tree / "usr/etc"))
    require_mergeable(machine.sysroot, merge, checksum)
    assert EtcDefaults(machine.sysroot.repo, checksum).tree() is None
    assert plan(machine, merge, checksum)["same"].why == "changed here; the new defaults have none"


def test_defaults_may_be_in_etc_itself(machine, merge):
    checksum = machine.commit("2", edit=lambda tree: (tree / "usr/etc").rename(tree / "etc"))
    assert EtcDefaults(machine.sysroot.repo, checksum).kind("same") is Kind.FILE


def test_without_the_commit_that_runs(machine, merge):
    checksum = machine.commit("2")
    write(machine.etc(merge) / "default", "mine\n")
    delete_object(machine.sysroot.repo, ObjectName(merge.checksum, ObjectType.COMMIT))
    found = plan(machine, merge, checksum)
    assert list(found) == ["default"]
    assert found["default"].why == "changed here"


def test_a_deployment_without_etc(machine, merge):
    checksum = machine.commit("2")
    shutil.rmtree(machine.etc(merge))
    require_mergeable(machine.sysroot, merge, checksum)
    assert {step.outcome for step in plan_etc_ahead(machine.sysroot, merge, checksum)} == {
        "updated"
    }
