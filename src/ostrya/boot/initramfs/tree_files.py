# SPDX-License-Identifier: Apache-2.0
"""A root file system, read as its own programs would see it: absolute links begin at its root.

Nothing outside of the tree is ever opened, whatever its links say.
"""

from __future__ import annotations

import os
import stat
from errno import EINVAL, ELOOP, ENOTDIR
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import (
    OPEN_FILE,
    FileTooLargeError,
    list_names,
    open_dir_below,
    read_fd,
)
from ostrya.boot.errors import InitramfsError

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_LINKS = 40
_MAX_BYTES = 1 << 30


class TreeFiles:
    """A directory that is the root of a system.

    Attributes:
        fd: Its descriptor; it stays the caller's.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def resolve(self, path: str) -> str:
        """Return where a path leads, without links; of what is missing, where it would be.

        Raises:
            OSError: Links turn in circles.
        """
        pending = list(reversed(_parts(path)))
        done: list[str] = []
        links = 0
        while pending:
            part = pending.pop()
            if part == "..":
                del done[-1:]
                continue
            target = self._read_link("/".join([*done, part]))
            if target is None:
                done.append(part)
                continue
            links += 1
            if links > _MAX_LINKS:
                raise OSError(ELOOP, os.strerror(ELOOP), path)
            if target.startswith("/"):
                done.clear()
            pending += reversed(_parts(target))
        return "/".join(done)

    def find_file(self, path: str) -> str | None:
        """Return where a regular file really is; None if there is none."""
        real = self.resolve(path)
        return real if self._is(real, stat.S_ISREG) else None

    def find_dir(self, path: str) -> str | None:
        """Return where a directory really is; None if there is none."""
        real = self.resolve(path)
        return real if self._is(real, stat.S_ISDIR) else None

    def read(self, path: str) -> bytes:
        """Read a file.

        Raises:
            InitramfsError: It is not there, or no regular file, or greater than a gigabyte.
            OSError: It cannot be read.
        """
        real = self.find_file(path)
        if real is None:
            raise InitramfsError(f"the tree has no file /{path}")
        parent, _, name = real.rpartition("/")
        parent_fd = open_dir_below(self.fd, parent)
        try:
            fd = os.open(name, OPEN_FILE, dir_fd=parent_fd)
        finally:
            os.close(parent_fd)
        try:
            return read_fd(fd, max_bytes=_MAX_BYTES)
        except FileTooLargeError as exc:
            raise InitramfsError(f"/{path} is too large for a ramdisk") from exc
        finally:
            os.close(fd)

    def read_text(self, path: str) -> str:
        """Read a file of text; empty if it is not there."""
        if self.find_file(path) is None:
            return ""
        return self.read(path).decode("utf-8", "surrogateescape")

    def names(self, path: str) -> list[str]:
        """List a directory in the order of its names; empty if it is none."""
        real = self.find_dir(path)
        if real is None:
            return []
        fd = open_dir_below(self.fd, real)
        try:
            return sorted(list_names(fd))
        finally:
            os.close(fd)

    def _read_link(self, path: str) -> str | None:
        try:
            return os.readlink(path, dir_fd=self.fd)
        except FileNotFoundError:
            return None
        except OSError as exc:
            if exc.errno in (EINVAL, ENOTDIR):
                return None
            raise

    def _is(self, path: str, question: Callable[[int], bool]) -> bool:
        try:
            mode = os.stat(path or ".", dir_fd=self.fd, follow_symlinks=False).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return False
        return question(mode)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in {"", "."}]
