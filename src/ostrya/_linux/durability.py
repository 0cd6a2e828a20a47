# SPDX-License-Identifier: Apache-2.0
"""Bringing data to the disk: whole file systems, and early write-back of single files."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threading import Thread
    from typing import Self

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


class EarlySync:
    """Brings a file system to the disk while others still write, so that the last sync is short.

    Only a hint, like ``start_writeback``, which would cost too much for each of many small files.
    It runs on a thread: whoever forks does so before, or after the ``with`` block.
    """

    __slots__ = ("_fd", "_thread")

    def __init__(self, fd: int) -> None:
        """Prepare to sync the file system that holds ``fd``."""
        self._fd = os.dup(fd)
        self._thread: Thread | None = None

    def begin(self) -> None:
        """Begin a sync, unless one is under way."""
        if self._thread is None or not self._thread.is_alive():
            from threading import Thread

            self._thread = Thread(target=self._run, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        # The last sync, which is waited for, reports what is wrong.
        with suppress(OSError):
            sync_filesystem(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._thread is not None and kind is None:
            self._thread.join()
        # What a sync under way needs of it, the kernel holds.
        os.close(self._fd)
