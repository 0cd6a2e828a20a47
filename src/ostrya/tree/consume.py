# SPDX-License-Identifier: Apache-2.0
"""Deleting what was scanned with ``consume``, left out of the commit or not, and nothing else."""

from __future__ import annotations

import os
import stat

from ostrya._linux.dirfd import OPEN_DIR, open_dir_below, remove_tree
from ostrya._linux.naming import Below, name_below, name_error
from ostrya.named_tuple import NamedTuple


class _File(NamedTuple):
    name: str
    inode: int
    size: int
    mtime_ns: int


class ConsumedDirectory:
    """A directory as it was when it was scanned.

    Attributes:
        path: As it was given.
    """

    __slots__ = ("_dir_fd", "_files", "_left_out", "path")

    def __init__(self, path: str, dir_fd: int | None) -> None:
        self.path = path
        self._dir_fd = dir_fd
        self._files: dict[str, list[_File]] = {}
        self._left_out: list[tuple[str, str]] = []

    def add_directory(self, relative: str) -> None:
        """Note a directory whose content is going to be noted as well."""
        self._files[relative] = []

    def add_left_out(self, relative: str, name: str) -> None:
        """Note a directory in such a one that is left out with all that is in it."""
        self._left_out.append((relative, name))

    def add_file(self, relative: str, name: str, found: os.stat_result) -> None:
        """Note a file of such a directory."""
        self._files[relative].append(_File(name, found.st_ino, found.st_size, found.st_mtime_ns))

    def delete(self) -> None:
        """Delete what was noted and is still the same; of ``.`` only the content.

        Raises:
            OSError: Something was made or changed since; it stays, and so do the directories
                above it.
        """
        with Below(self.path):
            self._delete_all()

    def _delete_all(self) -> None:
        root_fd = os.open(self.path, OPEN_DIR | os.O_NOFOLLOW, dir_fd=self._dir_fd)
        try:
            for relative, name in self._left_out:
                fd = open_dir_below(root_fd, relative)
                try:
                    remove_tree(name, dir_fd=fd)
                except OSError as exc:
                    name_error(exc, os.path.join(self.path, relative, name))
                    raise
                finally:
                    os.close(fd)
            # Directories come before what is in them.
            for relative, files in reversed(self._files.items()):
                self._delete_files(root_fd, relative, files)
                if relative:
                    parent, _, name = relative.rpartition("/")
                    self._remove_directory(root_fd, parent, name)
        finally:
            os.close(root_fd)
        if self.path != ".":
            os.rmdir(self.path, dir_fd=self._dir_fd)

    def _delete_files(self, root_fd: int, relative: str, files: list[_File]) -> None:
        fd = open_dir_below(root_fd, relative)
        try:
            for file in files:
                if _is_same(file, fd):
                    os.unlink(file.name, dir_fd=fd)
        except OSError as exc:
            name_below(exc, os.path.join(self.path, relative))
            raise
        finally:
            os.close(fd)

    def _remove_directory(self, root_fd: int, parent: str, name: str) -> None:
        fd = open_dir_below(root_fd, parent)
        try:
            os.rmdir(name, dir_fd=fd)
        except OSError as exc:
            name_below(exc, os.path.join(self.path, parent))
            raise
        finally:
            os.close(fd)


def _is_same(file: _File, dir_fd: int) -> bool:
    try:
        found = os.stat(file.name, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(found.st_mode) or found.st_ino != file.inode:
        return False
    # What became its object by a hard link has an object's time now.
    return (found.st_size, found.st_mtime_ns) == (file.size, file.mtime_ns) or (
        found.st_mtime_ns == 0 and found.st_nlink > 1 and found.st_size == file.size
    )
