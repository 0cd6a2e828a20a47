# SPDX-License-Identifier: Apache-2.0
"""Freezing real file systems: what is written is there, and they can be written to afterwards."""

from __future__ import annotations

import os
import signal

import pytest

from ostrya._linux import freeze
from ostrya._linux.dirfd import open_dir
from support import mounts


@pytest.fixture(params=["ext4", "xfs", "tmpfs"])
def place(request, tmp_path):
    reason = mounts.missing(request.param)
    if reason:
        pytest.skip(reason)
    yield request.param, mounts.mount(request.param, tmp_path / "disk", size=512 * 1024 * 1024)
    mounts.unmount(tmp_path)


def test_it_can_be_written_to_afterwards(place):
    kind, folder = place
    fd = open_dir(str(folder))
    try:
        (folder / "before").write_text("x")
        assert freeze.flush_filesystem(fd) is (kind != "tmpfs")
        (folder / "after").write_text("x")
        assert freeze.flush_filesystem(fd) is (kind != "tmpfs")
    finally:
        os.close(fd)


def test_a_child_killed_while_it_is_frozen(place, monkeypatch):
    kind, folder = place
    if kind == "tmpfs":
        pytest.skip("this kernel has no freezing of tmpfs")

    def freeze_and_die(fd: int) -> None:
        freeze.fcntl.ioctl(fd, freeze._FIFREEZE, 0)
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(freeze, "_freeze_and_thaw", freeze_and_die)
    fd = open_dir(str(folder))
    try:
        assert not freeze.flush_filesystem(fd)
        (folder / "after").write_text("x")
    finally:
        os.close(fd)
