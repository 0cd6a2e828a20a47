# SPDX-License-Identifier: Apache-2.0
"""Staging directories: where a transaction's objects wait until they are durable.

::

    tmp/staging-<boot id>-<random>/        laid out as ``repo.staged`` says
    tmp/staging-<boot id>-<random>-lock    locked while a transaction uses the directory

The boot id is in the name because what was written before a crash may not have reached the
disk: directories of other boots are deleted, one of this boot is taken up again.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya._linux import dirfd, flock
from ostrya._linux.naming import name_error
from ostrya.formats.object_name import ObjectType, parse_loose_name
from ostrya.named_tuple import NamedTuple
from ostrya.repo.staged import META, staged_path

if TYPE_CHECKING:
    from ostrya.repo.repository import Repository

PREFIX = "staging-"
_LOCK_SUFFIX = "-lock"
# Commits are told by their checksum, but what they hold may have been dropped, or pruned since.
_NOT_HANDED_ON = (ObjectType.COMMIT, ObjectType.COMMIT_META, ObjectType.TOMBSTONE_COMMIT)
_BOOT_ID_PATH = "/proc/sys/kernel/random/boot_id"
_NAME_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class StagingDir(NamedTuple):
    """A staging directory in use.

    Attributes:
        name: Below ``tmp``.
        fd: The directory.
        lock_fd: Its locked lock file.
        taken_up: Whether it may hold what an earlier transaction left.
    """

    name: str
    fd: int
    lock_fd: int
    taken_up: bool = False


def boot_prefix(repo: Repository) -> str:
    """Return how this boot's staging directories are named."""
    boot_id = repo.runtime.boot_id
    if boot_id is None:
        with open(_BOOT_ID_PATH, encoding="ascii") as stream:
            boot_id = stream.read().strip()
    return f"{PREFIX}{boot_id}-"


def allocate(repo: Repository) -> StagingDir:
    """Take up a staging directory of this boot that nobody uses, or make one.

    Raises:
        OSError: That is not possible in ``tmp``, which the error names.
    """
    try:
        return _allocate(repo)
    except OSError as exc:
        name_error(exc, os.path.join(repo.path, "tmp"))
        raise


def _allocate(repo: Repository) -> StagingDir:
    prefix = boot_prefix(repo)
    for name in sorted(dirfd.list_names(repo.tmp_fd)):
        if name.startswith(prefix) and not name.endswith(_LOCK_SUFFIX):
            found = _try_take(repo, name)
            if found is not None:
                os.utime(found.fd)
                _drop_unfinished(found.fd)
                return found._replace(taken_up=True)
    while True:
        name = prefix + "".join(_NAME_CHARS[byte % len(_NAME_CHARS)] for byte in os.urandom(6))
        with suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=repo.tmp_fd)
            found = _try_take(repo, name)
            if found is not None:
                return found


def _drop_unfinished(staging_fd: int) -> None:
    """Delete what a transaction that did not end must not hand on to the next one.

    That is what is not whole, or not an object; what is not told by its checksum, detached
    metadata; commits; and files that somebody else still has a link to, and may have changed since.
    What libostree left is laid out our way.
    """
    for folder in dirfd.list_names(staging_fd):
        if folder != META and len(folder) != 2:
            dirfd.remove_tree(folder, dir_fd=staging_fd)
            continue
        fd = dirfd.open_dir(folder, dir_fd=staging_fd)
        try:
            for name in os.listdir(fd):
                path = f"{name[:2]}/{name[2:]}" if folder == META else f"{folder}/{name}"
                if not _may_be_handed_on(path, os.stat(name, dir_fd=fd, follow_symlinks=False)):
                    dirfd.unlink_if_exists(name, dir_fd=fd)
                elif staged_path(path) != f"{folder}/{name}":
                    _move_over(staging_fd, f"{folder}/{name}", staged_path(path))
        finally:
            os.close(fd)


def _may_be_handed_on(path: str, found: os.stat_result) -> bool:
    name = parse_loose_name(path[:2], path[3:])
    return name is not None and name.type not in _NOT_HANDED_ON and found.st_nlink == 1


def _move_over(staging_fd: int, source: str, path: str) -> None:
    dirfd.ensure_dir(path.partition("/")[0], dir_fd=staging_fd)
    os.rename(source, path, src_dir_fd=staging_fd, dst_dir_fd=staging_fd)


def _try_take(repo: Repository, name: str) -> StagingDir | None:
    try:
        fd = dirfd.open_dir(name, dir_fd=repo.tmp_fd)
    except (FileNotFoundError, NotADirectoryError):
        return None
    lock_fd = _try_lock(repo, name)
    if lock_fd == -1:
        os.close(fd)
        return None
    if not dirfd.exists(name, dir_fd=repo.tmp_fd):
        # Its last user deleted it between our open and our lock.
        os.close(fd)
        _unlock(repo, name, lock_fd)
        return None
    return StagingDir(name, fd, lock_fd)


def _try_lock(repo: Repository, name: str) -> int:
    flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY
    while True:
        lock_fd = os.open(f"{name}{_LOCK_SUFFIX}", flags, 0o660, dir_fd=repo.tmp_fd)
        if not flock.try_lock(lock_fd, exclusive=True):
            os.close(lock_fd)
            return -1
        if os.fstat(lock_fd).st_nlink:
            return lock_fd
        # Deleted by its last holder after we opened it: whoever comes next makes a new file.
        os.close(lock_fd)


def _unlock(repo: Repository, name: str, lock_fd: int) -> None:
    # Unlinked while still locked, so that nobody can lock a file without a name.
    dirfd.unlink_if_exists(f"{name}{_LOCK_SUFFIX}", dir_fd=repo.tmp_fd)
    os.close(lock_fd)


def release(repo: Repository, staging: StagingDir, *, delete: bool) -> None:
    """Let go of a staging directory; what is in it stays unless ``delete`` is set."""
    os.close(staging.fd)
    try:
        try:
            if delete:
                dirfd.remove_tree(staging.name, dir_fd=repo.tmp_fd)
        finally:
            _unlock(repo, staging.name, staging.lock_fd)
    except OSError as exc:
        name_error(exc, os.path.join(repo.path, "tmp"))
        raise


def clean_tmp(repo: Repository) -> None:
    """Delete staging directories of other boots, and old leftovers, from ``tmp``."""
    try:
        _clean_tmp(repo)
    except OSError as exc:
        name_error(exc, os.path.join(repo.path, "tmp"))
        raise


def _clean_tmp(repo: Repository) -> None:
    prefix = boot_prefix(repo)
    now = time.time()
    for name in dirfd.list_names(repo.tmp_fd):
        if name == "cache":
            continue
        try:
            found = os.stat(name, dir_fd=repo.tmp_fd, follow_symlinks=False)
        except FileNotFoundError:
            continue
        if name.startswith(PREFIX) and stat.S_ISDIR(found.st_mode):
            if not name.startswith(prefix):
                _delete_unused(repo, name)
        elif now - found.st_mtime >= 0 and now - found.st_mtime > repo.config.tmp_expiry_s:
            if name.startswith(PREFIX) and name.endswith(_LOCK_SUFFIX):
                _delete_stale_lock(repo, name.removesuffix(_LOCK_SUFFIX))
            else:
                dirfd.remove_tree(name, dir_fd=repo.tmp_fd)


def _delete_stale_lock(repo: Repository, name: str) -> None:
    # However old it is, a lock that is held guards a directory in use.
    lock_fd = _try_lock(repo, name)
    if lock_fd != -1:
        _unlock(repo, name, lock_fd)


def _delete_unused(repo: Repository, name: str) -> None:
    lock_fd = _try_lock(repo, name)
    if lock_fd != -1:
        dirfd.remove_tree(name, dir_fd=repo.tmp_fd)
        _unlock(repo, name, lock_fd)
