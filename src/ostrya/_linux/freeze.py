# SPDX-License-Identifier: Apache-2.0
"""All of a file system on the disk, in its place: not in a journal that a boot loader cannot read.

``syncfs`` is enough for Linux, which replays journals. GRUB and U-Boot do not, and would see the
old directory of ``/boot``. Freezing a file system writes its journal out.
"""

from __future__ import annotations

import fcntl
import os
import signal
from errno import EBUSY, EINVAL, ENOSYS, ENOTTY, EOPNOTSUPP, EPERM

from ostrya._linux.child import call_in_child
from ostrya._linux.durability import sync_filesystem

_FIFREEZE = 0xC0045877
_FITHAW = 0xC0045878
_CANNOT_FREEZE = (EOPNOTSUPP, ENOSYS, ENOTTY, EPERM, EBUSY)


def flush_filesystem(fd: int) -> bool:
    """Write a file system out, journal and all; say whether its journal was.

    A child does it, that nothing else can hold up and that signals for us do not reach: as long as
    the file system is frozen, whoever writes to it waits. Should the child be killed, this process
    thaws; should this one be killed, the child goes on.

    Args:
        fd: Anything on the file system.

    Raises:
        OSError: It could not be written.
    """
    error = call_in_child(lambda: _freeze_and_thaw(fd))
    if error == 0:
        return True
    if error not in _CANNOT_FREEZE:
        # Whatever became of the child, what it has frozen does not stay so.
        _thaw(fd)
        if error != -1:
            raise OSError(error, os.strerror(error))
    sync_filesystem(fd)
    return False


def rehearse_rescue(fd: int) -> None:
    """Let the child be killed while the file system is frozen, and thaw it: to see that it works.

    Args:
        fd: Anything on the file system.
    """
    call_in_child(lambda: _freeze_and_die(fd))
    _thaw(fd)


def _freeze_and_die(fd: int) -> None:
    fcntl.ioctl(fd, _FIFREEZE, 0)
    os.kill(os.getpid(), signal.SIGKILL)


def _freeze_and_thaw(fd: int) -> None:
    fcntl.ioctl(fd, _FIFREEZE, 0)
    _thaw(fd)


def _thaw(fd: int) -> None:
    try:
        fcntl.ioctl(fd, _FITHAW, 0)
    except OSError as exc:
        # EINVAL: it is not frozen.
        if exc.errno != EINVAL and exc.errno not in _CANNOT_FREEZE:
            raise
