# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import EIO, ENOSPC, EOPNOTSUPP
from pathlib import Path

import pytest

from ostrya._linux.dirfd import open_dir
from ostrya.boot.kernel import find_kernel
from ostrya.sysroot import boot_space
from ostrya.sysroot.boot_space import measure_boot_space
from ostrya.sysroot.deployment import Deployment
from ostrya.sysroot.paths import DeploymentName
from ostrya.sysroot.sysroot import Sysroot
from support import os_tree

MEGABYTE = 1 << 20


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """A sysroot with a ``/boot`` of its own, and two deployments that were made in it."""
    (tmp_path / "boot/ostree").mkdir(parents=True)
    monkeypatch.setattr(Sysroot, "has_own_boot", True)
    with Sysroot(str(tmp_path)) as sysroot:
        yield sysroot, [make_deployment(sysroot, version) for version in ("1", "2")]


def make_deployment(sysroot: Sysroot, version: str) -> Deployment:
    name = DeploymentName(f"{version}c" * 32, 0)
    path = os.path.join(sysroot.path, Deployment("os", name, "").path)
    tree = os_tree.make(Path(path), version)
    fd = open_dir(str(tree))
    try:
        return Deployment("os", name, find_kernel(fd).bootcsum)
    finally:
        os.close(fd)


def install(sysroot: Sysroot, deployment: Deployment, size: int) -> None:
    folder = f"{sysroot.path}/boot/ostree/os-{deployment.bootcsum}"
    os.mkdir(folder)
    with open(f"{folder}/vmlinuz", "wb") as stream:
        stream.truncate(size)


def block(sysroot: Sysroot) -> int:
    return os.fstatvfs(sysroot.boot_fd).f_bsize


def limit(monkeypatch, size: int) -> None:
    """Let there be so much room."""

    def allocate(_fd: int, _offset: int, wanted: int) -> None:
        if wanted > size:
            raise OSError(ENOSPC, os.strerror(ENOSPC))

    monkeypatch.setattr(boot_space.os, "posix_fallocate", allocate)


def test_both_fit(disk, monkeypatch):
    sysroot, (old, new) = disk
    install(sysroot, old, 3 * MEGABYTE)
    limit(monkeypatch, 100 * MEGABYTE)
    assert measure_boot_space(sysroot, [old], [new, old]) == (2 * block(sysroot), 0, True, True)
    # What is there takes nothing.
    assert measure_boot_space(sysroot, [old], [old])[:2] == (0, 0)


def test_it_fits_once_the_old_one_is_gone(disk, monkeypatch):
    sysroot, (old, new) = disk
    install(sysroot, old, 3 * MEGABYTE)
    limit(monkeypatch, 0)
    found = measure_boot_space(sysroot, [old], [new])
    assert found == (2 * block(sysroot), 3 * MEGABYTE, False, True)
    assert not measure_boot_space(sysroot, [], [new]).fits_after


def test_a_kernel_of_two_systems_is_there_twice(disk, monkeypatch):
    sysroot, (one, _) = disk
    limit(monkeypatch, 100 * MEGABYTE)
    install(sysroot, one, 1)
    other = make_deployment(sysroot, "3")._replace(bootcsum=one.bootcsum)
    found = measure_boot_space(sysroot, [one], [one, other._replace(stateroot="os")])
    assert found.needed_bytes == 0


def test_where_nobody_can_tell_the_file_system_is_asked(disk, monkeypatch):
    sysroot, (_, new) = disk

    def fail(number: int):
        def allocate(*_args: int) -> None:
            raise OSError(number, os.strerror(number))

        return allocate

    monkeypatch.setattr(boot_space.os, "posix_fallocate", fail(EOPNOTSUPP))
    assert measure_boot_space(sysroot, [], [new]).fits
    monkeypatch.setattr(boot_space, "MARGIN_BYTES", 1 << 62)
    assert not measure_boot_space(sysroot, [], [new]).fits
    monkeypatch.setattr(boot_space.os, "posix_fallocate", fail(EIO))
    with pytest.raises(OSError, match=os.strerror(EIO)):
        measure_boot_space(sysroot, [], [new])


def test_for_real_nothing_stays(disk):
    sysroot, (_, new) = disk
    assert measure_boot_space(sysroot, [], [new]).fits
    assert os.listdir(sysroot.boot_fd) == ["ostree"]


def test_what_is_only_linked_takes_nothing(disk, monkeypatch):
    sysroot, (old, new) = disk
    monkeypatch.setattr(Sysroot, "has_own_boot", False)
    assert measure_boot_space(sysroot, [old], [new]) == (0, 0, True, True)
