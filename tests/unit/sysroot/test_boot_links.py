# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya._linux.dirfd import open_dir
from ostrya.sysroot.boot_links import (
    link_boot_to_itself,
    make_links,
    number_deployments,
    number_new_deployments,
    prepare_loader_swap,
    swap_links,
    swap_loader,
)
from ostrya.sysroot.deployment import Deployment
from ostrya.sysroot.paths import DeploymentName

KERNELS = ("3f" * 32, "4f" * 32)


def deployment(commit: str, kernel: int = 0, number: int = -1, stateroot: str = "os") -> Deployment:
    return Deployment(stateroot, DeploymentName(commit * 32, 0), KERNELS[kernel], number)


def numbers(deployments: list[Deployment]) -> list[int]:
    return [one.bootserial for one in deployments]


@pytest.fixture
def top_fd(tmp_path):
    fd = open_dir(str(tmp_path))
    yield fd
    os.close(fd)


def test_numbers_in_their_order():
    found = number_deployments(
        [deployment("1c"), deployment("2c", 1), deployment("3c"), deployment("4c", 0, 7, "other")]
    )
    assert numbers(found) == [0, 0, 1, 2]


def test_those_that_are_known_keep_theirs():
    known = [deployment("1c", 0, 0), deployment("2c", 0, 2), deployment("3c", 1, 0)]
    new = [deployment("4c"), *known, deployment("5c"), deployment("6c", 1)]
    assert numbers(number_new_deployments(new, known)) == [1, 0, 2, 0, 3, 1]
    # Whoever goes has a number until it is gone.
    assert numbers(number_new_deployments([deployment("4c")], known)) == [1]
    assert numbers(number_new_deployments([deployment("4c")], [])) == [0]


def test_links(tmp_path, top_fd):
    make_links(top_fd, 1, 0, [deployment("1c", 0, 0), deployment("2c", 0, 1)])
    folder = tmp_path / f"ostree/boot.1.0/os/{KERNELS[0]}"
    assert os.readlink(folder / "0") == f"../../../deploy/os/deploy/{'1c' * 32}.0"
    assert sorted(os.listdir(folder)) == ["0", "1"]
    target = tmp_path / f"ostree/deploy/os/deploy/{'2c' * 32}.0"
    target.mkdir(parents=True)
    assert (folder / "1").samefile(target)
    make_links(top_fd, 1, 0, [deployment("3c", 1, 0)])
    assert os.listdir(folder.parent) == [KERNELS[1]]


def test_the_swap(tmp_path, top_fd):
    (tmp_path / "ostree").mkdir()
    # Power failed the last time.
    (tmp_path / "ostree/boot.0.tmp").symlink_to("boot.0.0")
    for subbootversion in (1, 0, 0):
        swap_links(top_fd, 0, subbootversion)
        assert os.readlink(tmp_path / "ostree/boot.0") == f"boot.0.{subbootversion}"
    assert os.listdir(tmp_path / "ostree") == ["boot.0"]


def test_boot_within_boot(tmp_path, top_fd):
    (tmp_path / "boot").mkdir()
    for _ in range(2):
        link_boot_to_itself(top_fd)
        assert os.readlink(tmp_path / "boot/boot") == "."


def test_a_boot_that_takes_no_links(tmp_path, top_fd, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "symlink", refuse)
    link_boot_to_itself(top_fd)


def test_a_boot_that_is_not_there(top_fd):
    with pytest.raises(FileNotFoundError):
        link_boot_to_itself(top_fd)


def test_the_loader_goes_over_and_the_old_link_stays(tmp_path, top_fd):
    boot = tmp_path / "boot"
    boot.mkdir()
    # Power failed the last time.
    (boot / "loader.tmp").symlink_to("loader.9")
    prepare_loader_swap(top_fd, 0)
    swap_loader(top_fd)
    assert {path.name: os.readlink(path) for path in boot.iterdir()} == {"loader": "loader.0"}
    inode = (boot / "loader").lstat().st_ino
    prepare_loader_swap(top_fd, 1)
    assert os.readlink(boot / "loader") == "loader.0"
    swap_loader(top_fd)
    assert os.readlink(boot / "loader") == "loader.1"
    assert (boot / "loader.tmp").lstat().st_ino == inode
