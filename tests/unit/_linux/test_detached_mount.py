# SPDX-License-Identifier: Apache-2.0
"""With a file system in memory: how it is opened is the same for all."""

from __future__ import annotations

import os
from errno import ENODEV, EROFS
from pathlib import Path

import pytest

from ostrya._linux.detached_mount import open_filesystem
from support import mounts


@pytest.mark.loop
def test_it_is_nowhere_else(tmp_path):
    if reason := mounts.missing("tmpfs"):
        pytest.skip(reason)
    before = Path("/proc/self/mounts").read_text()
    fd = open_filesystem("none", "tmpfs")
    try:
        file = os.open("file", os.O_CREAT | os.O_RDWR, 0o600, dir_fd=fd)
        os.write(file, b"x")
        os.close(file)
        assert os.listdir(fd) == ["file"]
        assert Path("/proc/self/mounts").read_text() == before
    finally:
        os.close(fd)


@pytest.mark.loop
def test_read_only():
    if reason := mounts.missing("tmpfs"):
        pytest.skip(reason)
    fd = open_filesystem("none", "tmpfs", read_only=True)
    try:
        with pytest.raises(OSError, match="Read-only") as caught:
            os.mkdir("x", dir_fd=fd)
        assert caught.value.errno == EROFS
    finally:
        os.close(fd)


@pytest.mark.loop
def test_no_such_file_system():
    if reason := mounts.missing("tmpfs"):
        pytest.skip(reason)
    with pytest.raises(OSError, match="/dev/vda1") as caught:
        open_filesystem("/dev/vda1", "nosuchfs")
    assert caught.value.errno == ENODEV
