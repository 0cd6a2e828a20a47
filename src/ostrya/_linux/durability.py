# SPDX-License-Identifier: Apache-2.0
"""Bringing data to the disk: whole file systems, and early write-back of single files."""

from __future__ import annotations

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
_SYNC_FILE_RANGE_WRITE = 2


def sync_filesystem(fd: int) -> None:
    """Wait until everything on the file system that holds ``fd`` is on the disk (syncfs)."""
    if _libc.syncfs(fd) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))


def start_writeback(fd: int) -> None:
    """Ask the kernel to begin writing a file's dirty pages, without waiting for it.

    Only a hint: failure is not reported, and nothing is durable when this returns.
    """
    _libc.sync_file_range(fd, ctypes.c_int64(0), ctypes.c_int64(0), _SYNC_FILE_RANGE_WRITE)
