# SPDX-License-Identifier: Apache-2.0
"""The immutable flag of a file or directory, where the file system has it and we may set it."""

from __future__ import annotations

import fcntl
import struct
from errno import EINVAL, ENOSYS, ENOTTY, EOPNOTSUPP, EPERM

# The size of a long is in the numbers: it is another one where programs are of 32 bits.
_LONG = struct.calcsize("l") << 16
_GET_FLAGS = 0x80006601 | _LONG
_SET_FLAGS = 0x40006602 | _LONG
_IMMUTABLE = 0x10
_CANNOT = (EPERM, ENOTTY, EOPNOTSUPP, ENOSYS, EINVAL)


def set_immutable(fd: int, *, immutable: bool) -> bool:
    """Set or clear the flag; say whether it is so now.

    Raises:
        OSError: The disk does not do what it could do.
    """
    try:
        (flags,) = struct.unpack("l", fcntl.ioctl(fd, _GET_FLAGS, struct.pack("l", 0)))
        wanted = flags | _IMMUTABLE if immutable else flags & ~_IMMUTABLE
        if wanted != flags:
            fcntl.ioctl(fd, _SET_FLAGS, struct.pack("l", wanted))
    except OSError as exc:
        if exc.errno in _CANNOT:
            return False
        raise
    return True
