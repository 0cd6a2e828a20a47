# SPDX-License-Identifier: Apache-2.0
"""What kind of file system something is on."""

from __future__ import annotations

import ctypes
import os

_VFAT = 0x4D44
# struct statfs is 120 bytes on all architectures of 64 bits, and begins with the type.
_STATFS_BYTES = 256


def is_vfat(fd: int) -> bool:
    """Say whether an open file or directory is on a VFAT file system, without links of any kind.

    Raises:
        OSError: The kernel does not say.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    found = (ctypes.c_long * (_STATFS_BYTES // ctypes.sizeof(ctypes.c_long)))()
    if libc.fstatfs(fd, ctypes.byref(found)) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    return found[0] == _VFAT
