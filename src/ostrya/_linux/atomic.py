# SPDX-License-Identifier: Apache-2.0
"""Files that appear whole or not at all: unnamed file, write, fsync, link or rename, fsync.

After ``replace_file(…, durable=True)`` returns, the new content survives a power cut; before it
returns, a power cut leaves the old content or the new, never a mixture.
"""

from __future__ import annotations

import os
import re
from errno import EISDIR, ENOENT, EOPNOTSUPP
from typing import Self

_NO_TMPFILE_ERRNOS = (EISDIR, EOPNOTSUPP, ENOENT)
_TEMPORARY = re.compile(r"tmp\.[0-9a-f]{16}")


class TmpFile:
    """A file under construction in a directory, unnamed where the file system can do that.

    Attributes:
        fd: Open for writing; closed by ``close``.
    """

    __slots__ = ("_dir_fd", "_name", "fd")

    def __init__(self, dir_fd: int, mode: int = 0o600, *, where: str = ".") -> None:
        """Begin a file.

        Args:
            dir_fd: The directory that ``where`` is relative to.
            mode: Permission bits, before the umask.
            where: The directory that it will be named in: file systems place a file near its
                directory, and slow down when thousands begin in the same one.
        """
        self._dir_fd = dir_fd
        self._name: str | None = None
        try:
            self.fd = os.open(where, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, mode, dir_fd=dir_fd)
        except OSError as exc:
            if exc.errno not in _NO_TMPFILE_ERRNOS:
                raise
            # Overlay and some network file systems have no unnamed files.
            self._name = f"{where}/{temporary_name()}"
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
            self.fd = os.open(self._name, flags, mode, dir_fd=dir_fd)

    @property
    def has_name(self) -> bool:
        """Whether it has one already, for want of files without."""
        return self._name is not None

    def link(self, name: str, *, dir_fd: int) -> None:
        """Give the file its name.

        Raises:
            FileExistsError: The name is taken; the file stays unnamed.
        """
        if self._name is None:
            # AT_SYMLINK_FOLLOW through /proc needs no privilege, unlike AT_EMPTY_PATH.
            os.link(f"/proc/self/fd/{self.fd}", name, dst_dir_fd=dir_fd, follow_symlinks=True)
        else:
            os.link(self._name, name, src_dir_fd=self._dir_fd, dst_dir_fd=dir_fd)
            self._unlink()

    def replace(self, name: str, *, dir_fd: int) -> None:
        """Give the file its name, in place of whatever had it.

        On the way it has another name in the directory that it was begun in.
        """
        if self._name is None:
            temporary = temporary_name()
            self.link(temporary, dir_fd=self._dir_fd)
            self._name = temporary
        os.rename(self._name, name, src_dir_fd=self._dir_fd, dst_dir_fd=dir_fd)
        self._name = None

    def reopen_read_only(self) -> None:
        """Give up writing: the file is open for reading only from here on."""
        fd = os.open(f"/proc/self/fd/{self.fd}", os.O_RDONLY | os.O_CLOEXEC)
        os.close(self.fd)
        self.fd = fd

    def close(self) -> None:
        """Close the file; without a name given, it is gone."""
        os.close(self.fd)
        self._unlink()

    def _unlink(self) -> None:
        if self._name is not None:
            name, self._name = self._name, None
            os.unlink(name, dir_fd=self._dir_fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def temporary_name() -> str:
    """Make up a name that nothing else has."""
    # Not from secrets: that module costs every start-up more than all the rest of this one.
    return f"tmp.{os.urandom(8).hex()}"


def is_temporary_name(name: str) -> bool:
    """Say whether a name is one that `temporary_name` makes up."""
    return _TEMPORARY.fullmatch(name) is not None


def open_spool(dir_fd: int) -> int:
    """Open a file without a name, to write and read again; gone when it is closed."""
    try:
        return os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600, dir_fd=dir_fd)
    except OSError as exc:
        if exc.errno not in _NO_TMPFILE_ERRNOS:
            raise
    name = temporary_name()
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(name, flags, 0o600, dir_fd=dir_fd)
    os.unlink(name, dir_fd=dir_fd)
    return fd


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write all of ``data``, however many calls it takes."""
    written = os.write(fd, data)
    if written == len(data):
        return
    rest = memoryview(data)[written:]
    while rest:
        rest = rest[os.write(fd, rest) :]


def replace_file(
    name: str,
    data: bytes,
    *,
    dir_fd: int,
    mode: int = 0o644,
    durable: bool = True,
    scratch_fd: int | None = None,
) -> None:
    """Write a file under ``name``, in place of any earlier one.

    Args:
        name: One path component, or a path below ``dir_fd`` whose directories exist.
        data: The whole content.
        dir_fd: The directory that ``name`` is relative to.
        mode: Permission bits, before the umask.
        durable: Whether content and name must survive a power cut once this returns.
        scratch_fd: Where it may have another name for a moment, if not beside ``name``; on the
            same file system.
    """
    parent, _, base = name.rpartition("/")
    parent_fd = os.open(parent or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        with TmpFile(parent_fd if scratch_fd is None else scratch_fd, mode) as tmp:
            write_all(tmp.fd, data)
            if durable:
                os.fsync(tmp.fd)
            had_name = tmp.has_name
            tmp.replace(base, dir_fd=parent_fd)
            if durable and had_name:
                # VFAT keeps size and place of a file by its name, and writes them with the file.
                os.fsync(tmp.fd)
        if durable:
            os.fsync(parent_fd)
    except OSError as exc:
        # Whatever step failed, this is the file that could not be written.
        exc.filename, exc.filename2 = name, None
        raise
    finally:
        os.close(parent_fd)
