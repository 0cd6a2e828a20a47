# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import os
import struct
from errno import EIO, ENOTTY

import pytest

from ostrya._linux import inode_flags
from ostrya._linux.dirfd import open_dir
from ostrya._linux.inode_flags import set_immutable


@pytest.fixture
def folder_fd(tmp_path):
    fd = open_dir(str(tmp_path))
    yield fd
    set_immutable(fd, immutable=False)
    os.close(fd)


@pytest.mark.root
def test_there_and_back(folder_fd, tmp_path):
    if not set_immutable(folder_fd, immutable=True):
        pytest.skip("this kernel has no immutable files on this file system")
    assert set_immutable(folder_fd, immutable=True)
    with pytest.raises(PermissionError):
        (tmp_path / "file").touch()
    assert set_immutable(folder_fd, immutable=False)
    (tmp_path / "file").touch()


def test_where_there_is_none():
    fd = os.open("/proc/self", os.O_RDONLY)
    try:
        assert not set_immutable(fd, immutable=True)
    finally:
        os.close(fd)


def test_a_disk_that_fails(folder_fd, monkeypatch):
    def fail(number: int):
        def call(*_args: object) -> bytes:
            raise OSError(number, os.strerror(number))

        return call

    with monkeypatch.context() as patch:
        patch.setattr(inode_flags.fcntl, "ioctl", fail(ENOTTY))
        assert not set_immutable(folder_fd, immutable=True)
        patch.setattr(inode_flags.fcntl, "ioctl", fail(EIO))
        with pytest.raises(OSError, match=os.strerror(EIO)):
            set_immutable(folder_fd, immutable=True)


@pytest.mark.parametrize(
    ("long_bytes", "get", "put"), [(4, 0x80046601, 0x40046602), (8, 0x80086601, 0x40086602)]
)
def test_the_numbers_of_programs_of_32_bits_are_others(monkeypatch, long_bytes, get, put):
    with monkeypatch.context() as patch:
        patch.setattr(struct, "calcsize", lambda _format: long_bytes)
        other = importlib.reload(inode_flags)
        assert (get, put) == (other._GET_FLAGS, other._SET_FLAGS)
    importlib.reload(inode_flags)
