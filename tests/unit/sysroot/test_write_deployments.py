# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import EIO

import pytest

from ostrya.errors import SysrootError
from ostrya.sysroot import write_deployments as module
from ostrya.sysroot.boot_space import BootSpace
from ostrya.sysroot.deploy import DeployWish
from ostrya.sysroot.errors import BootSpaceError
from ostrya.sysroot.order import Retain
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.stage import stage_deployment
from ostrya.sysroot.write_deployments import loader_context, write_deployments
from support.machines import names_in


@pytest.fixture
def two(machine):
    """A machine with two deployments, the newer one first."""
    machine.deploy(machine.commit("1"), kargs="quiet")
    machine.deploy(machine.commit("2"))
    return machine


def test_each_change_takes_the_other_directory(two):
    root = two.root
    assert os.readlink(root / "boot/loader") == "loader.0"
    assert os.readlink(root / "ostree/boot.0") == "boot.0.1"
    assert names_in(root / "boot/loader/entries") == ["ostree-1.conf", "ostree-2.conf"]
    assert os.readlink(root / "boot/boot") == "."
    write_deployments(two.sysroot, two.loaded, two.loaded.deployments[1:])
    assert os.readlink(root / "boot/loader") == "loader.1"
    assert names_in(root / "boot/loader/entries") == ["ostree-1.conf"]
    # Of the old ones nothing is left.
    assert names_in(root / "boot") == ["boot", "loader", "loader.1", "ostree"]
    assert names_in(root / "ostree") == ["boot.1", "boot.1.1", "deploy", "repo"]
    assert len(names_in(root / "boot/ostree")) == 1


def test_the_same_kernel_and_arguments_change_links_only(machine):
    checksum = machine.commit("1")
    machine.deploy(checksum)
    before = machine.entries(), os.stat(machine.root / "boot/loader/entries").st_mtime_ns
    machine.said.clear()
    machine.deploy(checksum, retain=Retain())
    # The one before stays, as it was merged from.
    assert len(machine.loaded.deployments) == 2
    machine.said.clear()
    loaded = machine.loaded
    swapped = [loaded.deployments[1], loaded.deployments[0]]
    entries = machine.entries()
    after = write_deployments(machine.sysroot, loaded, swapped)
    assert machine.entries() == entries
    assert [one.name for one in after.deployments] == [one.name for one in swapped]
    assert machine.said == [
        (
            "Transaction complete; bootconfig swap: no; bootversion: "
            f"boot.{after.bootversion}.{after.subbootversion}, deployment count change: 0"
        )
    ]
    assert after.subbootversion != loaded.subbootversion
    assert before


def test_nothing_to_change(two):
    loaded = two.loaded
    two.said.clear()
    before = os.stat(two.root / "ostree/deploy").st_mtime_ns
    assert write_deployments(two.sysroot, loaded, loaded.deployments) == loaded
    assert two.said == []
    assert os.stat(two.root / "ostree/deploy").st_mtime_ns == before


def test_watchers_see_a_change(two):
    os.utime(two.root / "ostree/deploy", (1, 1))
    write_deployments(two.sysroot, two.loaded, two.loaded.deployments[1:])
    assert os.stat(two.root / "ostree/deploy").st_mtime > 1


def test_the_running_one_never_goes(two):
    two.run(1)
    with pytest.raises(SysrootError, match="Attempting to remove booted deployment"):
        write_deployments(two.sysroot, two.loaded, two.loaded.deployments[:1])
    assert len(two.loaded.deployments) == 2


def test_what_is_not_there_cannot_be_booted(two):
    one = two.loaded.deployments[0]
    missing = one._replace(name=one.name._replace(serial=9))
    with pytest.raises(SysrootError, match="Unable to find expected deployment root"):
        write_deployments(two.sysroot, two.loaded, [missing])


def test_two_systems_are_told_apart(machine):
    machine.deploy(machine.commit("1"))
    (machine.root / "ostree/deploy/other/var").mkdir(parents=True)
    machine.deploy(machine.commit("2"), stateroot="other")
    titles = [text.splitlines()[0] for text in machine.entries().values()]
    assert titles == ["title Test OS 1 (ostree:test:1)", "title Test OS 2 (ostree:other:0)"]


def test_room_is_asked_for_before_anything_changes(two, monkeypatch):
    space = BootSpace(100 << 20, 50 << 20, fits=False, fits_after=False)
    monkeypatch.setattr(type(two.sysroot), "has_own_boot", property(lambda _self: True))
    monkeypatch.setattr(module, "measure_boot_space", lambda *_args: space)
    before = two.entries()
    with pytest.raises(BootSpaceError, match="no room for 105 MB"):
        write_deployments(two.sysroot, two.loaded, two.loaded.deployments[1:], early_prune=True)
    assert two.entries() == before


@pytest.mark.parametrize("how", ["option", "setting"])
def test_the_old_may_go_first_if_somebody_says_so(two, monkeypatch, how):
    """The rollback goes, then there is room for the new one."""
    answers = []

    def measure(_sysroot, old, _new):
        answers.append(len(tuple(old)))
        return BootSpace(100 << 20, 90 << 20, fits=len(answers) > 1, fits_after=True)

    monkeypatch.setattr(type(two.sysroot), "has_own_boot", property(lambda _self: True))
    monkeypatch.setattr(module, "measure_boot_space", measure)
    loaded = two.loaded
    kept = loaded.deployments[:1]
    with pytest.raises(BootSpaceError) as caught:
        write_deployments(two.sysroot, loaded, kept)
    assert "--early-prune" in caught.value.hint
    answers.clear()
    if how == "setting":
        two.configure("sysroot", early_prune="true")
    after = write_deployments(two.sysroot, loaded, kept, early_prune=how == "option")
    assert [one.name for one in after.deployments] == [kept[0].name]


def folders(two) -> dict[str, list[str]]:
    return {
        path: names_in(two.root / path)
        for path in ("ostree/deploy/test/deploy", "ostree/deploy/test/backing", "boot/ostree")
    }


@pytest.mark.parametrize("error", [OSError(EIO, "worn out"), KeyboardInterrupt()])
@pytest.mark.parametrize("kernel", ["3", "2"])
def test_what_fails_before_the_swap_is_gone_at_once(two, monkeypatch, error, kernel):
    """Its tree, its origin, and its kernel: a rerun begins with the same room."""
    commit = two.commit(kernel)
    before = folders(two), two.entries()

    def fail(*_args: object) -> None:
        raise error

    monkeypatch.setattr(module, "_sync", fail)
    with pytest.raises(type(error)):
        two.deploy(commit)
    assert (folders(two), two.entries()) == before


def test_what_fails_behind_the_swap_stays(two, monkeypatch):
    commit = two.commit("3")

    def fail(*_args: object) -> None:
        raise OSError(EIO, "worn out")

    monkeypatch.setattr(module, "_after_swap", fail)
    with pytest.raises(OSError, match="worn out"):
        two.deploy(commit)
    assert two.loaded.deployments[0].checksum == commit
    assert (two.root / two.loaded.deployments[0].path / "usr/bin/tool").exists()


def test_a_staged_one_that_is_undeployed_takes_its_kernel_along(two):
    loaded = two.run()
    kernels = names_in(two.root / "boot/ostree")
    wish = DeployWish("test", two.commit("3"), Origin.following("test/os"))
    stage_deployment(two.sysroot, loaded, wish, loaded.booted)
    assert names_in(two.root / "boot/ostree") != kernels
    write_deployments(two.sysroot, two.loaded, two.loaded.deployments)
    assert names_in(two.root / "boot/ostree") == kernels


def test_what_loaders_are_told(two):
    context = loader_context(two.sysroot, two.loaded)
    assert (context.path, context.is_running) == (str(two.root), False)
    two.run()
    assert loader_context(two.sysroot, two.loaded).is_running


def test_nothing_waits_for_the_disk_if_that_is_wanted(two, monkeypatch):
    def refuse(_fd):
        raise AssertionError("synced")

    monkeypatch.setattr(module, "sync_filesystem", refuse)
    two.sysroot.options = two.sysroot.options._replace(skip_sync=True)
    write_deployments(two.sysroot, two.loaded, two.loaded.deployments[1:])


def test_what_is_synced_is_the_repositorys_disk(two, monkeypatch):
    """The root of a running system may be an overlay, of which nothing would be."""
    synced = []
    monkeypatch.setattr(module, "sync_filesystem", synced.append)
    write_deployments(two.sysroot, two.loaded, two.loaded.deployments[1:])
    assert set(synced) == {two.sysroot.repo.dir_fd}
