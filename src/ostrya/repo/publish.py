# SPDX-License-Identifier: Apache-2.0
"""From the staging directory into ``objects``: how a transaction's objects become visible.

Nothing appears before what it names: files, then dirtrees and dirmetas, commits last. A directory
of new files moves by one rename; where ``objects`` has entries of that prefix already, they move
one by one.
"""

from __future__ import annotations

import os
import stat
from errno import EEXIST, ENODATA, ENOTEMPTY, ENOTSUP
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import OPEN_DIR, ensure_dir, list_names, unlink_if_exists
from ostrya._linux.rename import rename_new
from ostrya.repo.staged import META, RANKS

if TYPE_CHECKING:
    from ostrya.repo.repository import Repository

_MANY_DIRECTORIES = 16
_DEFAULT_ACL = "system.posix_acl_default"


def publish_staged(repo: Repository, staging_fd: int) -> list[str]:
    """Move all staged objects into place; return the two-letter directories that changed."""
    may_move_whole = _heritage(staging_fd) == _heritage(repo.objects_fd)
    later: list[tuple[int, str, str]] = []
    touched = set()
    for folder in list_names(staging_fd):
        if folder == META:
            for name in _list_dir(folder, staging_fd):
                touched.add(name[:2])
                later.append((_rank(name), f"{folder}/{name}", f"{name[:2]}/{name[2:]}"))
        elif len(folder) == 2:
            touched.add(folder)
            if may_move_whole and _move_whole(repo, staging_fd, folder):
                continue
            ensure_dir(folder, dir_fd=repo.objects_fd)
            for name in _list_dir(folder, staging_fd):
                path = f"{folder}/{name}"
                _move(repo, staging_fd, path, path)
    for prefix in touched:
        ensure_dir(prefix, dir_fd=repo.objects_fd)
    for rank, source, path in sorted(later):
        _move(repo, staging_fd, source, path, rank)
    return sorted(touched)


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
    """List the two-letter directories of ``objects``."""
    return [name for name in list_names(fd) if len(name) == 2]


def _rank(filename: str) -> int:
    return RANKS.get(filename.rpartition(".")[2], 0)


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


def _move_whole(repo: Repository, staging_fd: int, folder: str) -> bool:
    """Move a directory at once; False where objects has one of that name that is not empty."""
    try:
        os.rename(folder, folder, src_dir_fd=staging_fd, dst_dir_fd=repo.objects_fd)
    except OSError as exc:
        if exc.errno in (ENOTEMPTY, EEXIST):
            return False
        exc.filename, exc.filename2 = folder, None
        raise
    return True


def _move(repo: Repository, staging_fd: int, source: str, path: str, rank: int = 0) -> None:
    """Move one object; what another writer has published meanwhile stays as it is.

    By path: another writer may put a whole directory in place of the empty one that we made, and
    a descriptor would go on meaning the one that is gone.
    """
    try:
        if rank == RANKS["commitmeta"]:
            os.rename(source, path, src_dir_fd=staging_fd, dst_dir_fd=repo.objects_fd)
            return
        rename_new(source, path, src_dir_fd=staging_fd, dst_dir_fd=repo.objects_fd)
    except OSError as exc:
        exc.filename, exc.filename2 = path, None
        raise
    if rank == RANKS["commit"]:
        # Deleted before and now here again: the tombstone is no longer true.
        tombstone = path.removesuffix(".commit") + ".tombstone-commit"
        unlink_if_exists(tombstone, dir_fd=repo.objects_fd)
