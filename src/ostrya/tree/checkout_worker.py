# SPDX-License-Identifier: Apache-2.0
"""Filling the directories of a checkout: what runs in every worker, and what finishes them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from errno import EEXIST
from typing import TYPE_CHECKING

from ostrya._linux import xattr
from ostrya._linux.dirfd import OPEN_DIR, open_dir_below
from ostrya._linux.naming import name_error
from ostrya.formats.checksum import Checksum
from ostrya.formats.dirmeta import DirMeta
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.modes import RepoMode
from ostrya.tree.checkout_files import FilePlacer
from ostrya.tree.checkout_options import CheckoutOptions, Overwrite

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.repo.repository import Repository

# Directory; names, checksums and labels of its files; uid, gid, mode, xattrs of a finished leaf.
DirTask = tuple[
    str,
    "list[tuple[str, str, str | None]]",
    "tuple[int, int, int, tuple[tuple[bytes, bytes], ...]] | None",
]
BatchResult = tuple[int, "list[str]"]
_USER_ONLY_BITS = 0o775


def make_checkout_worker(
    repo: Repository, options: CheckoutOptions, root_fd: int, path: str
) -> Callable[[], Callable[[list[DirTask]], BatchResult]]:
    """Return a factory of workers, for ``map_batches``; ``path`` is that of the open directory."""

    def make() -> Callable[[list[DirTask]], BatchResult]:
        return _CheckoutWorker(repo, options, root_fd, path).run

    return make


class _CheckoutWorker:
    __slots__ = ("_options", "_parent", "_parent_fd", "_path", "_placer", "_repo", "_root_fd")

    def __init__(self, repo: Repository, options: CheckoutOptions, root_fd: int, path: str) -> None:
        self._repo = repo
        self._path = path
        self._options = options
        self._root_fd = root_fd
        self._parent = ""
        self._parent_fd = -1
        cache = None
        if (
            options.uncompressed_cache
            and options.user_mode
            and repo.mode == RepoMode.ARCHIVE
            and repo.writable
            and repo.config.uncompressed_cache
        ):
            from ostrya.tree.uncompressed_cache import UncompressedCache

            cache = UncompressedCache(repo)
        self._placer = FilePlacer(repo, options, cache)

    def run(self, batch: list[DirTask]) -> BatchResult:
        try:
            for task in batch:
                try:
                    self._fill(task)
                except OSError as exc:
                    if exc.errno != EEXIST:
                        name_error(exc, os.path.join(self._path, task[0]))
                    raise
        finally:
            self._leave_parent()
        touched: list[str] = []
        cache = self._placer.cache
        if cache is not None:
            touched = sorted(cache.touched)
            cache.touched.clear()
        return sum(len(files) for _, files, _ in batch), touched

    def _fill(self, task: DirTask) -> None:
        relative, files, leaf = task
        parent, _, base = relative.rpartition("/")
        parent_fd = self._enter_parent(parent)
        made = leaf is not None and make_dir(base, parent_fd, self._options)
        if made:
            fd = os.open(base, OPEN_DIR | os.O_NOFOLLOW, dir_fd=parent_fd)
        else:
            fd = open_existing(self._root_fd, relative, self._options)
        try:
            for name, checksum, label in files:
                try:
                    self._placer.place(fd, name, Checksum(checksum), label)
                except ObjectNotFound as exc:
                    path = f"/{relative}/{name}" if relative else f"/{name}"
                    exc.hint = exc.hint or f"it is the content of {path}"
                    raise
                except OSError as exc:
                    if exc.errno != EEXIST:
                        name_error(exc, os.path.join(self._path, relative, name))
                    raise
            if made and leaf is not None:
                _finish_fd(fd, DirMeta(*leaf), self._options, self._repo.mode)
        finally:
            os.close(fd)

    def _enter_parent(self, parent: str) -> int:
        """Open the directory above; kept open, since its other children come next."""
        if self._parent_fd == -1 or parent != self._parent:
            self._leave_parent()
            self._parent_fd = open_existing(self._root_fd, parent, self._options)
            self._parent = parent
        return self._parent_fd

    def _leave_parent(self) -> None:
        if self._parent_fd != -1:
            os.close(self._parent_fd)
            self._parent_fd = -1


def open_existing(root_fd: int, relative: str, options: CheckoutOptions) -> int:
    """Open a directory of the checkout; the caller owns the descriptor.

    Where a union is made, a link that was there already may stand for a directory, as ``lib`` for
    ``usr/lib``; never for one outside of the checkout.
    """
    return open_dir_below(root_fd, relative, follow=options.overwrite != Overwrite.NONE)


def make_dir(path: str, dir_fd: int | None, options: CheckoutOptions) -> bool:
    """Make a directory; False if it was there, and may be."""
    if options.process_whiteouts and options.overwrite == Overwrite.UNION_FILES:
        # Flattening like overlayfs: a file gives way to a directory.
        with suppress(FileNotFoundError):
            found = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
            if not stat.S_ISDIR(found.st_mode):
                os.unlink(path, dir_fd=dir_fd)
    try:
        os.mkdir(path, 0o700, dir_fd=dir_fd)
    except FileExistsError as exc:
        if options.overwrite == Overwrite.NONE:
            raise FileExistsError(exc.errno, f"mkdirat({path}): File exists") from exc
        return False
    return True


def make_below(root_fd: int, relative: str, options: CheckoutOptions) -> bool:
    """Make a directory below another one, however long the path; False if it was there."""
    parent, _, name = relative.rpartition("/")
    parent_fd = open_existing(root_fd, parent, options)
    try:
        return make_dir(name, parent_fd, options)
    except OSError as exc:
        if exc.errno != EEXIST:
            exc.filename = relative
        raise
    finally:
        os.close(parent_fd)


def finish_dir(
    root_fd: int, relative: str, dirmeta: DirMeta, options: CheckoutOptions, mode: RepoMode
) -> None:
    """Give a directory its owner, mode, xattrs and time, once all in it is in place."""
    fd = open_existing(root_fd, relative, options)
    try:
        _finish_fd(fd, dirmeta, options, mode)
    except OSError as exc:
        exc.filename = relative or "."
        raise
    finally:
        os.close(fd)


def _finish_fd(fd: int, dirmeta: DirMeta, options: CheckoutOptions, mode: RepoMode) -> None:
    permissions = stat.S_IMODE(dirmeta.mode)
    if options.bareuseronly_dirs or mode == RepoMode.BARE_USER_ONLY:
        permissions &= _USER_ONLY_BITS
    if not options.user_mode:
        xattr.write_xattrs(fd, dirmeta.xattrs)
        os.fchown(fd, dirmeta.uid, dirmeta.gid)
    os.fchmod(fd, permissions)
    if not options.force_copy:
        os.utime(fd, ns=(os.fstat(fd).st_atime_ns, 0))
    if options.fsync:
        os.fsync(fd)
