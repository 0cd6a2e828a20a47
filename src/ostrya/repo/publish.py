# SPDX-License-Identifier: Apache-2.0
"""From the staging directory into ``objects``: how a transaction's objects become visible.

Nothing appears before what it names: files, then dirtrees and dirmetas, commits last. A directory
of new files moves by one rename, with what must wait set aside first; where ``objects`` has
entries of that prefix already, objects move one by one.
"""

from __future__ import annotations

import os
import stat
from errno import EEXIST, ENODATA, ENOTEMPTY, ENOTSUP
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import OPEN_DIR, ensure_dir, list_names, unlink_if_exists
from ostrya._linux.rename import rename_new
from ostrya.repo import staging

if TYPE_CHECKING:
    from ostrya.repo.repository import Repository

# What is not named here goes first.
_RANKS = {"dirmeta": 1, "dirtree": 1, "commitmeta": 2, "commit": 3}
_MANY_DIRECTORIES = 16
_DEFAULT_ACL = "system.posix_acl_default"


def publish_staged(repo: Repository, staging_fd: int) -> list[str]:
    """Move all staged objects into place; return the two-letter directories that changed."""
    staging.take_back(staging_fd)
    prefixes = object_prefixes(staging_fd)
    may_move_whole = _heritage(staging_fd) == _heritage(repo.objects_fd)
    later: list[tuple[int, str, str]] = []
    for prefix in prefixes:
        names = _list_dir(prefix, staging_fd)
        files = [name for name in names if not _rank(name)]
        others = [name for name in names if _rank(name)]
        source = f"{prefix}/"
        if (
            may_move_whole
            and len(files) > len(others)
            and not _has_entries(prefix, repo.objects_fd)
        ):
            staging.set_aside(staging_fd, prefix, others)
            source = f"{staging.ASIDE}/{prefix}"
            if _move_whole(repo, staging_fd, prefix):
                files = []
        ensure_dir(prefix, dir_fd=repo.objects_fd)
        for name in files:
            _move(repo, staging_fd, f"{prefix}/{name}", f"{prefix}/{name}")
        later += [(_rank(name), source + name, f"{prefix}/{name}") for name in others]
    for rank, source, path in sorted(later):
        _move(repo, staging_fd, source, path, rank)
    return prefixes


def sync_object_dirs(repo: Repository, prefixes: list[str]) -> None:
    """Wait until the names in these directories, and the directories' own, are on the disk."""
    if len(prefixes) >= _MANY_DIRECTORIES:
        from ostrya._linux.durability import sync_filesystem

        # One flush of the disk instead of hundreds; the data was waited for before.
        sync_filesystem(repo.objects_fd)
        return
    for prefix in prefixes:
        fd = os.open(prefix, OPEN_DIR | os.O_NOFOLLOW, dir_fd=repo.objects_fd)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    os.fsync(repo.objects_fd)


def object_prefixes(fd: int) -> list[str]:
    """List the two-letter directories of ``objects``, or of a staging directory."""
    return [name for name in list_names(fd) if len(name) == 2]


def _rank(filename: str) -> int:
    return _RANKS.get(filename.rpartition(".")[2], 0)


def _heritage(fd: int) -> tuple[int | None, bytes]:
    """Return what directories made in a directory take over from it: group and default ACL."""
    found = os.fstat(fd)
    group = found.st_gid if found.st_mode & stat.S_ISGID else None
    try:
        return group, os.getxattr(fd, _DEFAULT_ACL)
    except OSError as exc:
        if exc.errno not in (ENODATA, ENOTSUP):
            raise
        return group, b""


def _list_dir(name: str, dir_fd: int) -> list[str]:
    fd = os.open(name, OPEN_DIR | os.O_NOFOLLOW, dir_fd=dir_fd)
    try:
        return os.listdir(fd)
    finally:
        os.close(fd)


def _has_entries(name: str, dir_fd: int) -> bool:
    try:
        fd = os.open(name, OPEN_DIR | os.O_NOFOLLOW, dir_fd=dir_fd)
    except FileNotFoundError:
        return False
    try:
        with os.scandir(fd) as entries:
            return next(entries, None) is not None
    finally:
        os.close(fd)


def _move_whole(repo: Repository, staging_fd: int, prefix: str) -> bool:
    """Move a directory at once; False where objects has one of that name that is not empty."""
    try:
        os.rename(prefix, prefix, src_dir_fd=staging_fd, dst_dir_fd=repo.objects_fd)
    except OSError as exc:
        if exc.errno not in (ENOTEMPTY, EEXIST):
            raise
        return False
    return True


def _move(repo: Repository, staging_fd: int, source: str, path: str, rank: int = 0) -> None:
    """Move one object; what another writer has published meanwhile stays as it is.

    By path: another writer may put a whole directory in place of the empty one that we made, and
    a descriptor would go on meaning the one that is gone.
    """
    if rank == _RANKS["commitmeta"]:
        os.rename(source, path, src_dir_fd=staging_fd, dst_dir_fd=repo.objects_fd)
        return
    rename_new(source, path, src_dir_fd=staging_fd, dst_dir_fd=repo.objects_fd)
    if rank == _RANKS["commit"]:
        # Deleted before and now here again: the tombstone is no longer true.
        tombstone = path.removesuffix(".commit") + ".tombstone-commit"
        unlink_if_exists(tombstone, dir_fd=repo.objects_fd)
