# SPDX-License-Identifier: Apache-2.0
"""Renaming without replacing what has the name already, or without deleting it."""

from __future__ import annotations

import ctypes
import os
from errno import EEXIST, EINVAL, ENOENT, ENOSYS

_NOREPLACE = 1
_EXCHANGE = 2
_libc = ctypes.CDLL(None, use_errno=True)


def rename_new(source: str, target: str, *, src_dir_fd: int, dst_dir_fd: int) -> bool:
    """Rename, unless the new name is taken; say whether it was done.

    Where neither the C library nor the file system has such a call, the new name is looked for
    first, and an entry that somebody makes in between is replaced.
    """
    renameat2 = getattr(_libc, "renameat2", None)
    if renameat2 is not None:
        names = os.fsencode(source), os.fsencode(target)
        if renameat2(src_dir_fd, names[0], dst_dir_fd, names[1], _NOREPLACE) == 0:
            return True
        errno = ctypes.get_errno()
        if errno == EEXIST:
            return False
        if errno not in (EINVAL, ENOSYS):
            raise OSError(errno, os.strerror(errno), target)
    try:
        os.stat(target, dir_fd=dst_dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        return True
    return False


def rename_exchanging(source: str, target: str, *, dir_fd: int) -> bool:
    """Rename; what had the new name gets the old one. Say whether there is such a thing now.

    Nothing is deleted by that: a boot loader, which reads no journal, may see the directory as it
    was with inodes as they are.

    Where neither the C library nor the file system has such a call, what had the name is replaced.
    """
    renameat2 = getattr(_libc, "renameat2", None)
    if renameat2 is not None:
        names = os.fsencode(source), os.fsencode(target)
        if renameat2(dir_fd, names[0], dir_fd, names[1], _EXCHANGE) == 0:
            return True
        errno = ctypes.get_errno()
        if errno not in (EINVAL, ENOENT, ENOSYS):
            raise OSError(errno, os.strerror(errno), target)
    os.rename(source, target, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    return False
