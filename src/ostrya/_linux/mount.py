# SPDX-License-Identifier: Apache-2.0
"""Mounting: overlays, file systems made writable, and a root put together for somebody else."""

from __future__ import annotations

import ctypes
import os
from errno import EINTR, EINVAL, ENOENT
from typing import TYPE_CHECKING

from ostrya._linux.child import call_in_child
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_READ_ONLY = 1
_REMOUNT = 32
_SILENT = 32768
_RELATIME = 1 << 21
_NEW_NAMESPACE = 0x00020000
_BIND = 4096
_RECURSIVE = 16384
_PRIVATE = 1 << 18
_DETACH = 2
_SYSTEM_NAMESPACE = "/proc/1/ns/mnt"


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
    _in_child(lambda: _mount_overlay(dir_fd, target, flags, options), target)


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
        if os.readlink("/proc/self/ns/mnt") != os.readlink(_SYSTEM_NAMESPACE):
            return
    except PermissionError:
        # We may not look: one more namespace does no harm.
        pass
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NAMESPACE) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno), "a mount namespace")


class Bind(NamedTuple):
    """A directory that appears at a second place, with all that is mounted in it.

    Attributes:
        source: Where it is.
        target: Where it appears; a directory that is there.
        read_only: Whether it is read-only there.
    """

    source: str
    target: str
    read_only: bool = False


def bind_for_system(binds: Sequence[Bind], namespace: str = _SYSTEM_NAMESPACE) -> None:
    """Mount directories one after the other, for the whole system to see.

    Args:
        binds: What is mounted where.
        namespace: The system's mount namespace.

    Raises:
        OSError: The kernel refuses; what was mounted until then stays.
    """

    def act() -> None:
        _join(namespace)
        for bind in binds:
            _mount(bind.source, bind.target, None, _BIND | _RECURSIVE | _SILENT, "")
            # Else what is unmounted here later would be unmounted there too.
            _mount(bind.target, bind.target, None, _PRIVATE | _RECURSIVE | _SILENT, "")
            if bind.read_only:
                flags = _REMOUNT | _BIND | _READ_ONLY | _SILENT
                _mount(bind.target, bind.target, None, flags, "")

    _in_child(act, binds[-1].target)


def unmount_for_system(path: str, namespace: str = _SYSTEM_NAMESPACE) -> None:
    """Take away what is mounted at a place, and in it; it is fine if nothing is.

    Raises:
        OSError: The kernel refuses.
    """

    def act() -> None:
        _join(namespace)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.umount2(os.fsencode(path), _DETACH) != 0:
            errno = ctypes.get_errno()
            if errno not in (EINVAL, ENOENT):
                raise OSError(errno, os.strerror(errno), path)

    _in_child(act, path)


def _join(namespace: str) -> None:
    fd = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, _NEW_NAMESPACE) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno), namespace)


def _in_child(action: Callable[[], None], path: str) -> None:
    errno = call_in_child(action)
    if errno == -1:
        raise OSError(EINTR, "What was to mount it was killed", path)
    if errno:
        raise OSError(errno, os.strerror(errno), path)


def _mount_overlay(dir_fd: int, target: str, flags: int, options: str) -> None:
    os.fchdir(dir_fd)
    _mount("overlay", target, "overlay", flags, options)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(source), os.fsencode(target), None if kind is None else kind.encode()
    if libc.mount(*names, ctypes.c_ulong(flags), os.fsencode(options)) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno), target)
