# SPDX-License-Identifier: Apache-2.0
"""Directories by descriptor: open, make, list and remove without following links."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from errno import EISDIR, EPERM

OPEN_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
OPEN_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NOCTTY


class FileTooLargeError(Exception):
    """A file holds more bytes than its reader is ready to take."""


def open_dir(name: str, *, dir_fd: int | None = None, follow: bool = False) -> int:
    """Open a directory; the caller owns the descriptor.

    Raises:
        OSError: As ``openat`` does; ELOOP or ENOTDIR for a link unless ``follow`` is set.
    """
    flags = OPEN_DIR if follow else OPEN_DIR | os.O_NOFOLLOW
    return os.open(name, flags, dir_fd=dir_fd)


def ensure_dir(name: str, *, dir_fd: int | None = None, mode: int = 0o777) -> bool:
    """Create a directory unless something of that name exists; say whether it was created."""
    try:
        os.mkdir(name, mode, dir_fd=dir_fd)
    except FileExistsError:
        return False
    return True


def exists(name: str, *, dir_fd: int | None = None) -> bool:
    """Say whether a directory entry exists, a dangling link included."""
    try:
        os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def read_file(name: str, *, dir_fd: int | None = None, max_bytes: int) -> bytes:
    """Read a whole small file.

    Raises:
        FileTooLargeError: It holds more than ``max_bytes``.
        OSError: As ``openat`` and ``read`` do.
    """
    fd = os.open(name, OPEN_FILE, dir_fd=dir_fd)
    try:
        return read_fd(fd, max_bytes=max_bytes)
    finally:
        os.close(fd)


def read_fd(fd: int, *, max_bytes: int) -> bytes:
    """Read from a descriptor to its end, at most ``max_bytes``."""
    size = os.fstat(fd).st_size
    if size > max_bytes:
        raise FileTooLargeError
    data = os.read(fd, size + 1)
    if len(data) == size:
        return data
    parts = [data]
    total = len(data)
    while chunk := os.read(fd, 64 * 1024):
        total += len(chunk)
        if total > max_bytes:
            raise FileTooLargeError
        parts.append(chunk)
    return b"".join(parts)


def unlink_if_exists(name: str, *, dir_fd: int | None = None) -> bool:
    """Remove a file; say whether it was there."""
    try:
        os.unlink(name, dir_fd=dir_fd)
    except FileNotFoundError:
        return False
    return True


def remove_tree(name: str, *, dir_fd: int | None = None) -> None:
    """Remove a file or a whole directory without following links; absent is fine.

    Directories without write permission are opened up first, so that a tree checked out with
    its own modes can be removed by its owner.
    """
    try:
        os.unlink(name, dir_fd=dir_fd)
    except FileNotFoundError:
        return
    except OSError as exc:
        # unlink(2) of a directory: EISDIR on Linux, EPERM by POSIX.
        if exc.errno not in (EISDIR, EPERM):
            raise
        if not stat.S_ISDIR(os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_mode):
            raise
        _remove_dir(name, dir_fd)


def _remove_dir(name: str, dir_fd: int | None) -> None:
    try:
        fd = open_dir(name, dir_fd=dir_fd)
    except FileNotFoundError:
        return
    except PermissionError:
        os.chmod(name, 0o700, dir_fd=dir_fd)
        fd = open_dir(name, dir_fd=dir_fd)
    try:
        _make_writable(fd)
        with os.scandir(fd) as entries:
            children = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for child, is_dir in children:
            if is_dir:
                _remove_dir(child, fd)
            else:
                unlink_if_exists(child, dir_fd=fd)
    finally:
        os.close(fd)
    with suppress(FileNotFoundError):
        os.rmdir(name, dir_fd=dir_fd)


def _make_writable(fd: int) -> None:
    mode = os.fstat(fd).st_mode
    if mode & 0o700 != 0o700 and os.geteuid() != 0:
        os.fchmod(fd, stat.S_IMODE(mode) | 0o700)
