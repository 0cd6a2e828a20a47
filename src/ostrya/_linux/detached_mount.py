# SPDX-License-Identifier: Apache-2.0
"""A file system opened for a moment, mounted nowhere: it is gone when its descriptor is closed.

Source: fsopen(2), fsconfig(2), fsmount(2), of Linux 5.2 and later.
"""

from __future__ import annotations

import ctypes
import os

# The same on every architecture that was added to, or kept, the common table of system calls.
_FSOPEN = 430
_FSCONFIG = 431
_FSMOUNT = 432
_CLOEXEC = 1
_SET_FLAG = 0
_SET_STRING = 1
_CREATE = 6
_NO_SUID_DEV_EXEC = 0x2 | 0x4 | 0x8


def open_filesystem(device: str, kind: str, *, read_only: bool = False) -> int:
    """Mount a device's file system where no path leads; return its root directory.

    Args:
        device: A block device.
        kind: Which file system it has, ``vfat`` for instance.
        read_only: Whether nothing is written to it.

    Raises:
        OSError: The kernel refuses, has no such file system, or the device has another one.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def call(number: int, *arguments: object) -> int:
        result: int = libc.syscall(ctypes.c_long(number), *arguments)
        if result < 0:
            errno = ctypes.get_errno()
            raise OSError(errno, os.strerror(errno), device)
        return result

    context = call(_FSOPEN, ctypes.c_char_p(kind.encode()), ctypes.c_uint(_CLOEXEC))
    try:
        source = ctypes.c_char_p(os.fsencode(device))
        fd = ctypes.c_int(context)
        zero = ctypes.c_int(0)
        call(_FSCONFIG, fd, ctypes.c_uint(_SET_STRING), ctypes.c_char_p(b"source"), source, zero)
        if read_only:
            flag = ctypes.c_char_p(b"ro")
            call(_FSCONFIG, fd, ctypes.c_uint(_SET_FLAG), flag, ctypes.c_char_p(None), zero)
        nothing = ctypes.c_char_p(None)
        call(_FSCONFIG, fd, ctypes.c_uint(_CREATE), nothing, nothing, zero)
        attributes = ctypes.c_uint(_NO_SUID_DEV_EXEC | int(read_only))
        mount = call(_FSMOUNT, fd, ctypes.c_uint(_CLOEXEC), attributes)
    finally:
        os.close(context)
    try:
        # What the kernel gives is a path only, which cannot be read or synced.
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=mount)
    finally:
        os.close(mount)
