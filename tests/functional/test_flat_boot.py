# SPDX-License-Identifier: Apache-2.0
"""A ``/boot`` without links: entries come and go one by one, and power fails in between."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ostrya.boot.kernel import find_kernel
from ostrya.sysroot import write_deployments as writing
from ostrya.sysroot.deploy import DeployWish, deploy
from ostrya.sysroot.order import with_new_deployment
from ostrya.sysroot.write_deployments import write_deployments
from support import mounts
from support.command_machines import Machine
from support.commands import OURS, Command


class Killed(BaseException):
    """Power has failed."""


ON_FAT = [pytest.mark.root, pytest.mark.loop]


@pytest.fixture(
    params=[
        pytest.param("directory", marks=pytest.mark.root),
        pytest.param("fusefat", marks=ON_FAT),
        pytest.param("vfat", marks=ON_FAT),
    ]
)
def machine(request, tmp_path) -> Iterator[Machine]:
    if request.param != "directory":
        put_boot_on(request.param, tmp_path)
    machine = Machine(tmp_path)
    if request.param != "vfat":
        machine.set("sysroot.bootloader", "systemd-boot")
    yield machine
    mounts.unmount(tmp_path)


def put_boot_on(kind: str, top: Path, megabytes: int = 64) -> None:
    """Give a sysroot to be a ``/boot`` on a file system of its own."""
    if reason := mounts.missing(kind):
        pytest.skip(reason)
    disk = mounts.mount(kind, top, size=megabytes << 20)
    boot = top / "sysroot/boot"
    boot.mkdir(parents=True)
    mounts.run("mount", "--bind", str(disk), str(boot))


def kill_after(monkeypatch, name: str, calls: int) -> None:
    """Let power fail when a function of the writer is called once more than so often."""
    real = getattr(writing, name)
    counted = []

    def called(*args: object, **options: object) -> object:
        if len(counted) == calls:
            raise Killed
        counted.append(name)
        return real(*args, **options)

    monkeypatch.setattr(writing, name, called)
    # Without power nobody tidies up.
    monkeypatch.setattr(writing, "_abandon_new", lambda *_args: None)


def deploy_in_vain(machine: Machine, commit: str) -> None:
    """Deploy while power fails."""
    with machine.opened() as sysroot:
        loaded = machine.load()
        merge = loaded.deployments[0]
        new = deploy(sysroot, loaded, DeployWish("test", commit, merge.origin), merge)
        with pytest.raises(Killed):
            write_deployments(sysroot, loaded, with_new_deployment(loaded.deployments, new, merge))


def kernels(machine: Machine) -> list[str]:
    return sorted(os.listdir(machine.root / "boot/ostree"))


def test_deployed_twice_and_undeployed(machine):
    first = machine.release("1")
    assert "Bootloader updated; bootconfig swap: yes" in machine.deploy("--karg=quiet")
    assert machine.entries() == ["ostree-1.conf"]
    second = machine.release("3")
    machine.deploy("--karg-append=extra")
    assert machine.commits() == [second, first]
    assert machine.entries() == ["ostree-2.conf", "ostree-3.conf"]
    assert machine.links_are_true()
    assert not (machine.root / "boot/loader").is_symlink()
    assert not (machine.root / "boot/loader.0").exists()
    new, old = machine.load().deployments
    assert (str(new.kargs), str(old.kargs)) == ("quiet extra", "quiet")
    assert len(kernels(machine)) == 2
    board = machine.root / f"boot/ostree/test-{new.bootcsum}/dtb/vendor/board.dtb"
    assert board.read_text() == "tree of devices\n"
    machine.ours("admin", "undeploy", "0")
    assert machine.commits() == [first]
    assert machine.entries() == ["ostree-4.conf"]
    assert machine.links_are_true()
    assert kernels(machine) == [f"test-{old.bootcsum}"]


def test_the_same_kernel(machine):
    for version in ("1", "2", "4"):
        newest = machine.release(version, kernel="1")
        machine.deploy()
        loaded = machine.load()
        assert loaded.deployments[0].checksum == newest
        assert machine.links_are_true()
    assert len(kernels(machine)) == 1
    assert len({one.bootserial for one in loaded.deployments}) == 2
    machine.ours("admin", "set-default", "1")
    assert machine.commits()[1] == newest


def test_boot_counters(machine):
    machine.set("sysroot.boot-counting-tries", "3")
    machine.release("1")
    machine.deploy()
    assert machine.entries() == ["ostree-1+3.conf"]
    # As systemd-boot does when it boots it.
    entries = machine.root / "boot/loader/entries"
    (entries / "ostree-1+3.conf").rename(entries / "ostree-1+2-1.conf")
    machine.release("2")
    machine.deploy()
    assert machine.entries() == ["ostree-2+2-1.conf", "ostree-3+3.conf"]


@pytest.mark.parametrize(
    ("step", "calls", "entries"),
    [
        ("swap_links", 0, 2),
        ("write_entry", 0, 2),
        ("write_entry", 1, 3),
        ("find_loader", 0, 4),
        ("_after_swap", 0, 2),
    ],
)
@pytest.mark.parametrize("rerun", ["deploy", "cleanup", "undeploy"])
def test_power_fails(machine, monkeypatch, step, calls, entries, rerun):
    first = machine.release("1")
    machine.deploy()
    second = machine.release("2")
    machine.deploy()
    third = machine.release("3")
    with monkeypatch.context() as patch:
        kill_after(patch, step, calls)
        deploy_in_vain(machine, third)
    assert len(machine.entries()) == entries
    assert machine.links_are_true()
    seen = machine.commits()
    assert len(seen) == len(set(seen))
    # The new default's entry is the last one that is written.
    is_new = step not in ("swap_links", "write_entry")
    assert seen[:2] == ([third, second] if is_new else [second, first])
    if rerun == "deploy":
        machine.deploy()
        assert machine.commits()[0] == third
    elif rerun == "cleanup":
        machine.ours("admin", "cleanup")
        assert machine.commits() == seen
    else:
        machine.ours("admin", "undeploy", str(len(seen) - 1))
        assert machine.commits() == seen[:-1]
    assert len(machine.entries()) == len(machine.commits())
    assert machine.links_are_true()
    wanted = {f"test-{one.bootcsum}" for one in machine.load().deployments}
    assert set(kernels(machine)) == wanted


def test_other_entries_stay(machine):
    entries = machine.root / "boot/loader/entries"
    entries.mkdir(parents=True)
    (entries / "windows.conf").write_text("title W\n")
    machine.release("1")
    machine.deploy()
    machine.release("2")
    machine.deploy()
    assert (entries / "windows.conf").read_text() == "title W\n"


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=ON_FAT) for kind in ("tmpfs", "vfat")])
def test_no_room(tmp_path, kind):
    put_boot_on(kind, tmp_path, megabytes=8)
    machine = Machine(tmp_path)
    machine.set("sysroot.bootloader", "systemd-boot")
    try:
        first = machine.release("1")
        machine.deploy()
        _make_big(machine, 7)
        assert "/boot has no room for 8 MB" in machine.ours.fails(
            "admin", "deploy", "--os=test", "test/big"
        )
        assert machine.commits() == [first]
        assert machine.links_are_true()
        assert len(kernels(machine)) == 1
    finally:
        mounts.unmount(tmp_path)


def _make_big(machine: Machine, megabytes: int) -> None:
    tree = Path(machine.top / "tree-1")
    (tree / "usr/lib/modules/6.1.0-test/vmlinuz").write_bytes(bytes(megabytes << 20))
    machine.ours(machine.repo, "commit", "-b", "test/big", f"--tree=dir={tree}")


def test_kernels_are_whole(machine):
    machine.release("1")
    machine.deploy()
    (one,) = machine.load().deployments
    with machine.opened() as sysroot:
        fd = os.open(one.path, os.O_RDONLY, dir_fd=sysroot.dir_fd)
        try:
            files = find_kernel(fd).files
        finally:
            os.close(fd)
    folder = machine.root / f"boot/ostree/test-{one.bootcsum}"
    assert sorted(os.listdir(folder)) == sorted(file.name for file in files)


@pytest.mark.root
def test_from_links_to_one_directory(tmp_path):
    machine = Machine(tmp_path)
    first = machine.release("1")
    machine.deploy()
    assert (machine.root / "boot/loader").is_symlink()
    machine.set("sysroot.bootloader", "systemd-boot")
    second = machine.release("2")
    machine.deploy()
    assert machine.commits() == [second, first]
    assert machine.links_are_true()
    assert (machine.root / "boot/loader/loader.conf").read_text() == "timeout 3\n"
    machine.ours("admin", "undeploy", "1")
    assert machine.commits() == [second]
    assert len(machine.entries()) == 1


@pytest.mark.root
def test_stopped_where_boot_is_frozen(tmp_path):
    machine = Machine(tmp_path)
    first = machine.release("1")
    machine.deploy()
    machine.release("2")
    debug = "mutable-deployments,test-fifreeze"
    stopped = Command(OURS.path, "ours", env={**machine.ours.env, "OSTREE_SYSROOT_DEBUG": debug})
    said = stopped.fails("admin", "deploy", "--os=test", "test/os")
    assert "aborting due to test-fifreeze" in said
    assert machine.commits() == [first]
