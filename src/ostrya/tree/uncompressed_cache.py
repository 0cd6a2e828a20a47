# SPDX-License-Identifier: Apache-2.0
"""Inflated content of archives, kept so that user-mode checkouts can link it.

::

    uncompressed-objects-cache/ab/cdef….file
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya._linux.atomic import TmpFile, write_all
from ostrya._linux.dirfd import ensure_dir, exists, open_dir, unlink_if_exists
from ostrya._linux.naming import Below, name_error, names_repo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository
    from ostrya.repo.stores.base import FileObject

_NAME = "uncompressed-objects-cache"
_SPECIAL_BITS = stat.S_ISUID | stat.S_ISGID


class UncompressedCache:
    """The cache of one repository.

    Attributes:
        touched: Two-letter directories that got new files.
    """

    __slots__ = ("_fd", "_fsync", "_repo", "touched")

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._fsync = repo.config.fsync
        with Below(repo.path):
            ensure_dir(_NAME, dir_fd=repo.dir_fd)
            self._fd = open_dir(_NAME, dir_fd=repo.dir_fd)
        self.touched: set[str] = set()

    def ensure(self, checksum: Checksum, loaded: FileObject) -> tuple[int, str]:
        """Return (directory, path) of a file's inflated content, inflating it if need be."""
        path = f"{checksum[:2]}/{checksum[2:]}.file"
        try:
            self._ensure(path, loaded)
        except OSError as exc:
            name_error(exc, f"{self._repo.path}/{_NAME}/{path}")
            raise
        return self._fd, path

    def _ensure(self, path: str, loaded: FileObject) -> None:
        if not exists(path, dir_fd=self._fd):
            ensure_dir(path[:2], dir_fd=self._fd)
            with TmpFile(self._repo.tmp_fd) as tmp:
                for chunk in loaded.chunks():
                    write_all(tmp.fd, chunk)
                if self._fsync:
                    os.fsync(tmp.fd)
                # Never a setuid file that anybody could link to.
                os.fchmod(tmp.fd, stat.S_IMODE(loaded.header.mode) & ~_SPECIAL_BITS)
                with suppress(FileExistsError):
                    tmp.link(path, dir_fd=self._fd)
            self.touched.add(path[:2])


def collect_garbage(repo: Repository, prefixes: Iterable[str]) -> None:
    """Delete inflated content that no checkout links to, in the given two-letter directories."""
    for prefix in prefixes:
        _collect(repo, prefix)


@names_repo
def _collect(repo: Repository, prefix: str) -> None:
    fd = open_dir(f"{_NAME}/{prefix}", dir_fd=repo.dir_fd)
    try:
        with os.scandir(fd) as entries:
            unused = [e.name for e in entries if e.stat(follow_symlinks=False).st_nlink == 1]
        for name in unused:
            unlink_if_exists(name, dir_fd=fd)
    finally:
        os.close(fd)
