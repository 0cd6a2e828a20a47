# SPDX-License-Identifier: Apache-2.0
"""Directories by descriptor: open, make, list and remove without following links."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from errno import EAGAIN, EINVAL, EISDIR, ENOSYS, ENOTDIR, EPERM, EXDEV
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Iterator

OPEN_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Not blocking: whoever put a pipe where a file should be must not stop us.
OPEN_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NOCTTY | os.O_NONBLOCK
_OPENAT2 = 437
_NO_LINKS = 0x04
_NO_ESCAPE = 0x08
_IN_ROOT = 0x10
_NO_OPENAT2_ERRNOS = (ENOSYS, EPERM, EINVAL, EAGAIN)
# The kernel gives up on a path with ".." when anything on the machine is renamed meanwhile.
_OPENAT2_TRIES = 256
# A path that the kernel takes in one piece.
_MAX_PATH_BYTES = 4000


_libc: ctypes.CDLL | None = None


class FileTooLargeError(Exception):
    """A file holds more bytes than its reader is ready to take."""


def open_dir(name: str, *, dir_fd: int | None = None, follow: bool = False) -> int:
    """Open a directory; the caller owns the descriptor.

    Raises:
        OSError: As ``openat`` does; ELOOP or ENOTDIR for a link unless ``follow`` is set.
    """
    flags = OPEN_DIR if follow else OPEN_DIR | os.O_NOFOLLOW
    return os.open(name, flags, dir_fd=dir_fd)


def open_dir_below(root_fd: int, relative: str, *, follow: bool = False) -> int:
    """Open a directory below another one, however long the path; the caller owns the descriptor.

    What is opened is below ``root_fd`` whatever others put there meanwhile: no step of the path
    may be ``..``, nor a link, unless ``follow`` allows those that stay below ``root_fd`` (where
    the kernel, Linux 5.6 or newer, can see to that).

    Raises:
        OSError: As ``openat`` does; ELOOP or ENOTDIR for a link, EXDEV for one that leads out.
    """
    path = os.fsencode(relative)
    if not path:
        return os.open(".", OPEN_DIR, dir_fd=root_fd)
    if len(path) <= _MAX_PATH_BYTES:
        fd = _openat2_dir(root_fd, path, follow=follow)
        if fd != -1:
            return fd
    fd = root_fd
    for part in path.split(b"/"):
        if part == b"..":
            raise OSError(EINVAL, os.strerror(EINVAL), relative)
        try:
            next_fd = os.open(part, OPEN_DIR | os.O_NOFOLLOW, dir_fd=fd)
        except OSError as exc:
            exc.filename = relative
            raise
        finally:
            if fd != root_fd:
                os.close(fd)
        fd = next_fd
    return fd


def open_file_below(root_fd: int, relative: str) -> int:
    """Open a file below a directory to read; the caller owns the descriptor.

    Links are followed where they stay below ``root_fd`` and the kernel can see to that, and
    refused otherwise. What is opened need not be a regular file.

    Raises:
        OSError: As ``openat`` does; ELOOP or ENOTDIR for a link, EXDEV for one that leads out.
    """
    return _open_file(root_fd, relative, _NO_ESCAPE)


def open_file_in_root(root_fd: int, relative: str) -> int:
    """Open a file of a tree as a process would whose root the tree is; see `open_file_below`.

    A link such as ``/boot/vmlinuz`` leads to that file of the tree, not of this machine.

    Raises:
        OSError: As ``openat`` does; ELOOP or ENOTDIR for a link that cannot be followed safely.
    """
    return _open_file(root_fd, relative, _IN_ROOT)


def stat_in_root(root_fd: int, relative: str) -> os.stat_result:
    """Return what a path of a tree leads to; see `open_file_in_root`."""
    found = os.stat(relative, dir_fd=root_fd, follow_symlinks=False)
    if not stat.S_ISLNK(found.st_mode):
        return found
    fd = open_file_in_root(root_fd, relative)
    try:
        return os.fstat(fd)
    finally:
        os.close(fd)


def _open_file(root_fd: int, relative: str, resolve: int) -> int:
    fd = _openat2(root_fd, os.fsencode(relative), OPEN_FILE & ~os.O_NOFOLLOW, resolve)
    if fd != -1:
        return fd
    parent, _, name = relative.rpartition("/")
    parent_fd = open_dir_below(root_fd, parent)
    try:
        return os.open(name, OPEN_FILE, dir_fd=parent_fd)
    finally:
        os.close(parent_fd)


def _openat2_dir(root_fd: int, path: bytes, *, follow: bool) -> int:
    """Open a directory in one call; -1 where the kernel, or its warden, cannot."""
    if follow:
        return _openat2(root_fd, path, OPEN_DIR, _NO_ESCAPE)
    return _openat2(root_fd, path, OPEN_DIR | os.O_NOFOLLOW, _NO_ESCAPE | _NO_LINKS)


def _openat2(root_fd: int, path: bytes, flags: int, resolve: int) -> int:
    """Open something in one call; -1 where the kernel, or its warden, cannot."""
    import ctypes

    global _libc  # noqa: PLW0603  # loaded once, by those who need it
    if _libc is None:
        _libc = ctypes.CDLL(None, use_errno=True)
    how = (ctypes.c_uint64 * 3)(flags, 0, resolve)
    errno = 0
    for _ in range(_OPENAT2_TRIES):
        fd: int = _libc.syscall(_OPENAT2, root_fd, path, how, ctypes.sizeof(how))
        if fd != -1:
            return fd
        errno = ctypes.get_errno()
        if errno != EAGAIN:
            break
    if errno == EXDEV:
        raise OSError(errno, "A symbolic link leads out of the directory", os.fsdecode(path))
    if errno not in _NO_OPENAT2_ERRNOS:
        raise OSError(errno, os.strerror(errno), os.fsdecode(path))
    return -1


def list_names(fd: int) -> list[str]:
    """List a directory by descriptor, in no order.

    Through a descriptor of its own: on btrfs, one shows only what was there when it was opened.
    """
    fresh_fd = os.open(".", OPEN_DIR, dir_fd=fd)
    try:
        return os.listdir(fresh_fd)
    finally:
        os.close(fresh_fd)


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
        IsADirectoryError: It is a directory, a pipe or a device.
        OSError: As ``openat`` and ``read`` do.
    """
    fd = os.open(name, OPEN_FILE, dir_fd=dir_fd)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise IsADirectoryError(EISDIR, "Not a regular file", name)
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


def read_chunks(fd: int, chunk_bytes: int = 1 << 20) -> Iterator[bytes]:
    """Yield a file's content from its start, without moving its offset."""
    offset = 0
    while data := os.pread(fd, chunk_bytes, offset):
        offset += len(data)
        yield data


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
    """Remove a directory of any depth, with two descriptors open at a time."""
    fd = _open_to_empty(name, dir_fd)
    if fd == -1:
        return
    try:
        # From the top down: identity, name, and the subdirectories still to be removed.
        levels = [(_identity(fd), name, _empty_of_files(fd))]
        while True:
            subdirs = levels[-1][2]
            if subdirs:
                child = subdirs.pop()
                child_fd = _open_to_empty(child, fd)
                if child_fd != -1:
                    os.close(fd)
                    fd = child_fd
                    levels.append((_identity(fd), child, _empty_of_files(fd)))
                continue
            _, empty, _ = levels.pop()
            if not levels:
                break
            parent_fd = open_dir("..", dir_fd=fd)
            os.close(fd)
            fd = parent_fd
            if _identity(fd) != levels[-1][0]:
                raise OSError(ENOTDIR, "Directory was moved while it was being removed", name)
            _rmdir_if_exists(empty, fd)
    finally:
        os.close(fd)
    _rmdir_if_exists(name, dir_fd)


def _rmdir_if_exists(name: str, dir_fd: int | None) -> None:
    with suppress(FileNotFoundError):
        os.rmdir(name, dir_fd=dir_fd)


def _identity(fd: int) -> tuple[int, int]:
    found = os.fstat(fd)
    return found.st_dev, found.st_ino


def _open_to_empty(name: str, dir_fd: int | None) -> int:
    """Open a directory with all permissions of its owner; -1 if it is gone."""
    try:
        try:
            fd = open_dir(name, dir_fd=dir_fd)
        except PermissionError:
            os.chmod(name, 0o700, dir_fd=dir_fd)
            fd = open_dir(name, dir_fd=dir_fd)
    except FileNotFoundError:
        return -1
    mode = os.fstat(fd).st_mode
    if mode & 0o700 != 0o700 and os.geteuid() != 0:
        os.fchmod(fd, stat.S_IMODE(mode) | 0o700)
    return fd


def _empty_of_files(fd: int) -> list[str]:
    """Remove what is no directory from an open directory; return the names of those that are."""
    with os.scandir(fd) as entries:
        children = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for child, is_dir in children:
        if not is_dir:
            unlink_if_exists(child, dir_fd=fd)
    return [child for child, is_dir in children if is_dir]
