# SPDX-License-Identifier: Apache-2.0
"""Renaming without replacing what has the name already, or without deleting it."""

from __future__ import annotations

import os
from errno import EEXIST, EINVAL, ENOENT, ENOSYS
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ctypes

_NOREPLACE = 1
_EXCHANGE = 2
_libc: ctypes.CDLL | None = None


def rename_new(source: str, target: str, *, src_dir_fd: int, dst_dir_fd: int) -> bool:
    """Rename, unless the new name is taken; say whether it was done.

    Where neither the C library nor the file system has such a call, the new name is looked for
    first, and an entry that somebody makes in between is replaced.
    """
    errno = _renameat2(source, target, src_dir_fd, dst_dir_fd, _NOREPLACE)
    if errno == 0:
        return True
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
    errno = _renameat2(source, target, dir_fd, dir_fd, _EXCHANGE)
    if errno == 0:
        return True
    if errno not in (EINVAL, ENOENT, ENOSYS):
        raise OSError(errno, os.strerror(errno), target)
    os.rename(source, target, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    return False


def _renameat2(source: str, target: str, src_dir_fd: int, dst_dir_fd: int, flags: int) -> int:
    """Return 0 if it was done, else why not."""
    # Here, since many who import this never rename.
    import ctypes

    global _libc  # noqa: PLW0603  # loaded once
    if _libc is None:
        _libc = ctypes.CDLL(None, use_errno=True)
    renameat2 = getattr(_libc, "renameat2", None)
    if renameat2 is None:
        return ENOSYS
    if renameat2(src_dir_fd, os.fsencode(source), dst_dir_fd, os.fsencode(target), flags) == 0:
        return 0
    return ctypes.get_errno()
