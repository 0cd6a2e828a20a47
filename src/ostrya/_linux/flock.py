# SPDX-License-Identifier: Apache-2.0
"""Whole-file locks that belong to an open file, shared with whoever else uses them.

Open file description locks first, flock(2) where the kernel or file system lacks them: the
same choice that libostree makes, so that both see each other's locks.
"""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress
from errno import EACCES, EAGAIN, EINVAL

from ostrya.named_tuple import NamedTuple

_F_OFD_SETLK = 37
_BUSY = (EAGAIN, EACCES)


class LockHolder(NamedTuple):
    """A process that holds a lock on a file.

    Attributes:
        pid: Its process id.
        command: Its command line, arguments separated by spaces.
        since: When it started, seconds since the epoch.
    """

    pid: int
    command: str
    since: float

    def __str__(self) -> str:
        import time

        started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        return f"pid {self.pid} ({self.command}), running since {started}"


def try_lock(fd: int, *, exclusive: bool) -> bool:
    """Take or convert the lock of an open file without waiting; False if somebody has it."""
    kind = fcntl.F_WRLCK if exclusive else fcntl.F_RDLCK
    try:
        _set_ofd(fd, kind)
    except OSError as exc:
        if exc.errno in _BUSY:
            return False
        if exc.errno != EINVAL:
            raise
        return _try_flock(fd, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
    return True


def unlock(fd: int) -> None:
    """Give up the lock of an open file."""
    try:
        _set_ofd(fd, fcntl.F_UNLCK)
    except OSError as exc:
        if exc.errno != EINVAL:
            raise
        fcntl.flock(fd, fcntl.LOCK_UN)


def _set_ofd(fd: int, kind: int) -> None:
    # struct flock: type, whence, start, len, pid; zero length means the whole file.
    fcntl.fcntl(fd, _F_OFD_SETLK, struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0))


def _try_flock(fd: int, operation: int) -> bool:
    try:
        fcntl.flock(fd, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def find_holders(fd: int) -> list[LockHolder]:
    """Find the other processes that hold a lock on this file, as far as we may look.

    The kernel names no owner for open file description locks, so every process's open files
    are compared with this one; those of other users stay hidden from an ordinary user.
    """
    mine = os.fstat(fd)
    identity = (mine.st_dev, mine.st_ino)
    own_pid = os.getpid()
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [
        holder
        for pid in pids
        if pid != own_pid and (holder := _holder_if_locked(pid, identity)) is not None
    ]


def _holder_if_locked(pid: int, identity: tuple[int, int]) -> LockHolder | None:
    with suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                found = os.stat(f"/proc/{pid}/fd/{name}")
                if (found.st_dev, found.st_ino) == identity and _has_lock(pid, name):
                    return LockHolder(pid, _command_of(pid), os.stat(f"/proc/{pid}").st_ctime)
    return None


def _has_lock(pid: int, fd_name: str) -> bool:
    with open(f"/proc/{pid}/fdinfo/{fd_name}", encoding="ascii", errors="replace") as info:
        return any(line.startswith("lock:") for line in info)


def _command_of(pid: int) -> str:
    with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
        return cmdline.read(4096).rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
