# SPDX-License-Identifier: Apache-2.0
"""Where static deltas lie on the disk.

::

    deltas/Ab/Cdef…/superblock               from nothing to a commit
    deltas/Ab/Cdef…-Gh…/superblock           from one commit to another

The names are commits in modified base64: of 43 characters, two make the directory.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import exists, open_dir, remove_tree
from ostrya._linux.naming import names_repo
from ostrya.formats.delta_name import delta_dir, parse_delta_name, superblock_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.delta_name import DeltaName
    from ostrya.repo.repository import Repository


@names_repo
def list_deltas(repo: Repository) -> list[DeltaName]:
    """List the deltas of a repository, sorted."""
    return sorted(_iter_deltas(repo), key=str)


def _iter_deltas(repo: Repository) -> Iterator[DeltaName]:
    for prefix in list_folder(repo, "deltas", folders=True):
        for rest in list_folder(repo, f"deltas/{prefix}", folders=True):
            name = parse_delta_name(prefix + rest)
            if name is not None and exists(
                f"deltas/{prefix}/{rest}/superblock", dir_fd=repo.dir_fd
            ):
                yield name


def list_folder(repo: Repository, path: str, *, folders: bool) -> list[str]:
    """List the directories of a directory below the repository, or its regular files."""
    try:
        fd = open_dir(path, dir_fd=repo.dir_fd)
    except FileNotFoundError:
        return []
    try:
        with os.scandir(fd) as entries:
            return [entry.name for entry in entries if _is_wanted(entry, folders=folders)]
    finally:
        os.close(fd)


def _is_wanted(entry: os.DirEntry[str], *, folders: bool) -> bool:
    if folders:
        return entry.is_dir(follow_symlinks=False)
    return entry.is_file(follow_symlinks=False)


@names_repo
def has_delta(repo: Repository, name: DeltaName) -> bool:
    """Say whether a delta is there."""
    return exists(superblock_path(name), dir_fd=repo.dir_fd)


@names_repo
def delete_delta(repo: Repository, name: DeltaName) -> None:
    """Delete a delta and all its parts."""
    remove_tree(delta_dir(name), dir_fd=repo.dir_fd)
