# SPDX-License-Identifier: Apache-2.0
"""Sharing the blocks of two files, or copying inside the kernel."""

from __future__ import annotations

import fcntl
import os
from errno import EINVAL, EIO, ENOSYS, ENOTSUP, ENOTTY, EOPNOTSUPP, EPERM, EXDEV

_FICLONE = 0x40049409
_CANNOT_CLONE = frozenset({EOPNOTSUPP, EXDEV, EINVAL, ENOTTY, EPERM, ENOSYS, ENOTSUP})
_CHUNK_BYTES = 1 << 30


class FileTooShortError(OSError):
    """A file holds fewer bytes than it was said to."""


def try_clone(src_fd: int, dst_fd: int) -> bool:
    """Make ``dst_fd`` share all blocks of ``src_fd``; False where the file system cannot."""
    try:
        fcntl.ioctl(dst_fd, _FICLONE, src_fd)
    except OSError as exc:
        if exc.errno in _CANNOT_CLONE:
            return False
        raise
    return True


def copy_file_data(src_fd: int, dst_fd: int, size: int) -> None:
    """Copy ``size`` bytes from the start of one file to another, sharing blocks if possible.

    Raises:
        FileTooShortError: The source holds fewer bytes.
    """
    if try_clone(src_fd, dst_fd):
        return
    done = 0
    while done < size:
        try:
            copied = os.copy_file_range(src_fd, dst_fd, min(size - done, _CHUNK_BYTES), done, done)
        except OSError as exc:
            if exc.errno not in _CANNOT_CLONE:
                raise
            copied = _copy_chunk(src_fd, dst_fd, done, min(size - done, 1 << 20))
        if copied == 0:
            raise FileTooShortError(EIO, "File ends before its size")
        done += copied


def _copy_chunk(src_fd: int, dst_fd: int, offset: int, size: int) -> int:
    data = os.pread(src_fd, size, offset)
    written = 0
    while written < len(data):
        written += os.pwrite(dst_fd, memoryview(data)[written:], offset + written)
    return written


def copy_range(src_fd: int, dst_fd: int, size: int, to: int, *, at: int = 0) -> None:
    """Copy ``size`` bytes from one file into another, shared or by the kernel.

    Args:
        src_fd: The file that is read.
        dst_fd: The file that is written.
        size: How much.
        to: Where in that, in bytes.
        at: Where in the other.

    Raises:
        FileTooShortError: The source holds fewer bytes.
    """
    done = 0
    while done < size:
        left = min(size - done, _CHUNK_BYTES)
        try:
            copied = os.copy_file_range(src_fd, dst_fd, left, at + done, to + done)
        except OSError as exc:
            if exc.errno not in _CANNOT_CLONE:
                raise
            data = os.pread(src_fd, min(left, 1 << 20), at + done)
            copied = os.pwrite(dst_fd, data, to + done) if data else 0
        if copied == 0:
            raise FileTooShortError(EIO, "File ends before its size")
        done += copied
