# SPDX-License-Identifier: Apache-2.0
"""Mounting for real, where only this process sees it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from errno import ENODEV, ENOENT
from pathlib import Path

import pytest

from ostrya._linux import mount
from ostrya._linux.dirfd import open_dir
from support import mounts

OPTIONS = "lowerdir=usr,upperdir=upper,workdir=work"


@pytest.fixture
def top(tmp_path) -> Iterator[Path]:
    """A file system with what an overlay needs."""
    if reason := mounts.missing("overlayfs"):
        pytest.skip(reason)
    top = mounts.mount("tmpfs", tmp_path, size=1 << 20)
    for name in ("usr", "upper", "work"):
        (top / name).mkdir()
    (top / "usr/file").write_text("old\n")
    yield top
    mounts.unmount(tmp_path)


@pytest.mark.loop
def test_an_overlay(top):
    fd = open_dir(str(top))
    try:
        mount.mount_overlay(str(top / "usr"), OPTIONS, dir_fd=fd)
    finally:
        os.close(fd)
    (top / "usr/file").write_text("new\n")
    assert (top / "upper/file").read_text() == "new\n"
    assert not mount.remount_writable(str(top / "usr"))


@pytest.mark.loop
def test_an_overlay_that_is_opened_later(top):
    fd = open_dir(str(top))
    try:
        mount.mount_overlay(str(top / "usr"), OPTIONS, dir_fd=fd, read_only=True)
    finally:
        os.close(fd)
    with pytest.raises(OSError, match="Read-only"):
        (top / "usr/file").write_text("new\n")
    assert mount.remount_writable(str(top / "usr"))
    (top / "usr/file").write_text("new\n")


@pytest.mark.loop
def test_what_the_kernel_refuses(top):
    fd = open_dir(str(top))
    try:
        with pytest.raises(OSError, match=r"usr'") as caught:
            mount.mount_overlay(str(top / "usr"), "lowerdir=none", dir_fd=fd)
    finally:
        os.close(fd)
    assert caught.value.errno in (ENOENT, ENODEV)


def test_a_helper_that_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(mount, "call_in_child", lambda _action: -1)
    with pytest.raises(OSError, match="was killed"):
        mount.mount_overlay("/usr", OPTIONS, dir_fd=-1)


@pytest.mark.loop
def test_a_namespace_of_our_own():
    if os.geteuid() != 0:
        pytest.skip("only root may")
    mounts.enter_private_namespace()
    mount.enter_own_namespace()
    assert os.path.exists("/proc/self/ns/mnt")


def test_a_namespace_that_is_ours_already(monkeypatch):
    monkeypatch.setattr(os, "readlink", lambda path: path)
    mount.enter_own_namespace()


@pytest.mark.loop
def test_where_pid_1_is_not_to_be_seen(monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("only root may")

    def refuse(path):
        raise PermissionError(path)

    mounts.enter_private_namespace()
    monkeypatch.setattr(os, "readlink", refuse)
    mount.enter_own_namespace()
