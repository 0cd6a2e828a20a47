# SPDX-License-Identifier: Apache-2.0
"""Commits whose objects are known to be incomplete: ``state/<commit>.commitpartial``.

The file is empty after an interrupted or metadata-only pull, and holds an ``f`` when ``fsck``
found objects missing or damaged.
"""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import ensure_dir, exists, unlink_if_exists
from ostrya._linux.naming import names_repo

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository


class CommitState(Enum):
    """What is known of a commit's objects."""

    NORMAL = "normal"
    PARTIAL = "partial"
    FSCK_PARTIAL = "fsck-partial"


def _path(checksum: Checksum) -> str:
    return f"state/{checksum}.commitpartial"


@names_repo
def commit_state(repo: Repository, checksum: Checksum) -> CommitState:
    """Return what is known of a commit's objects."""
    try:
        fd = os.open(_path(checksum), os.O_RDONLY | os.O_CLOEXEC, dir_fd=repo.dir_fd)
    except FileNotFoundError:
        return CommitState.NORMAL
    try:
        return CommitState.FSCK_PARTIAL if os.read(fd, 1) == b"f" else CommitState.PARTIAL
    finally:
        os.close(fd)


def is_partial(repo: Repository, checksum: Checksum) -> bool:
    """Say whether a commit's objects are known to be incomplete."""
    return commit_state(repo, checksum) != CommitState.NORMAL


@names_repo
def mark_partial(repo: Repository, checksum: Checksum, *, by_fsck: bool = False) -> None:
    """Note that a commit's objects are incomplete; a mark that is there stays as it is."""
    ensure_dir("state", dir_fd=repo.dir_fd)
    if by_fsck:
        if not exists(_path(checksum), dir_fd=repo.dir_fd):
            replace_file(_path(checksum), b"f", dir_fd=repo.dir_fd, durable=repo.config.fsync)
        return
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    try:
        fd = os.open(_path(checksum), flags, 0o644, dir_fd=repo.dir_fd)
    except FileExistsError:
        return
    os.close(fd)


@names_repo
def clear_partial(repo: Repository, checksum: Checksum) -> None:
    """Note that a commit's objects are all there."""
    unlink_if_exists(_path(checksum), dir_fd=repo.dir_fd)
