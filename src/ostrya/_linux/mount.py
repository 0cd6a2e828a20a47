# SPDX-License-Identifier: Apache-2.0
"""Mounting, in the namespace of this process: overlays, and file systems made writable."""

from __future__ import annotations

import ctypes
import os
from errno import EINTR

from ostrya._linux.child import call_in_child

_READ_ONLY = 1
_REMOUNT = 32
_SILENT = 32768
_RELATIME = 1 << 21
_NEW_NAMESPACE = 0x00020000


def mount_overlay(target: str, options: str, *, dir_fd: int, read_only: bool = False) -> None:
    """Mount an overlay.

    Args:
        target: Where.
        options: ``lowerdir=``, ``upperdir=`` and ``workdir=``.
        dir_fd: The directory that paths in ``options`` are relative to.
        read_only: Whether it can be written to only where it is mounted again.

    Raises:
        OSError: The kernel refuses; we may have to be root.
    """
    flags = _SILENT | (_READ_ONLY if read_only else 0)
    # The kernel knows of no directory but the current one, which is not ours alone to change.
    errno = call_in_child(lambda: _mount_overlay(dir_fd, target, flags, options))
    if errno == -1:
        raise OSError(EINTR, "What was to mount it was killed", target)
    if errno:
        raise OSError(errno, os.strerror(errno), target)


def remount_writable(path: str) -> bool:
    """Make a file system writable that is mounted read-only; say whether it was.

    Raises:
        OSError: The kernel refuses.
    """
    if not os.statvfs(path).f_flag & os.ST_RDONLY:
        return False
    _mount(path, path, None, _REMOUNT | _SILENT | _RELATIME, "")
    return True


def enter_own_namespace() -> None:
    """Leave the mount namespace of the system, so that what is remounted is so for us alone.

    What is mounted anew where mounts are shared is seen by the system all the same.

    Raises:
        OSError: The kernel refuses; we may have to be root.
    """
    try:
        if os.readlink("/proc/self/ns/mnt") != os.readlink("/proc/1/ns/mnt"):
            return
    except PermissionError:
        # We may not look: one more namespace does no harm.
        pass
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NAMESPACE) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno), "a mount namespace")


def _mount_overlay(dir_fd: int, target: str, flags: int, options: str) -> None:
    os.fchdir(dir_fd)
    _mount("overlay", target, "overlay", flags, options)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(source), os.fsencode(target), None if kind is None else kind.encode()
    if libc.mount(*names, ctypes.c_ulong(flags), os.fsencode(options)) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno), target)
