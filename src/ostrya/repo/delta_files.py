# SPDX-License-Identifier: Apache-2.0
"""Where static deltas lie on the disk.

::

    deltas/Ab/Cdef…/superblock               from nothing to a commit
    deltas/Ab/Cdef…-Gh…/superblock           from one commit to another

The names are commits in modified base64: of 43 characters, two make the directory.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from ostrya._linux.dirfd import exists, open_dir, remove_tree
from ostrya._linux.naming import names_repo
from ostrya.errors import FormatError
from ostrya.formats.checksum import from_modified_base64, to_modified_base64

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository


class DeltaName(NamedTuple):
    """A static delta: what it leads to, and from where.

    Attributes:
        to: The commit it makes.
        origin: The commit it needs, None if it needs nothing.
    """

    to: Checksum
    origin: Checksum | None

    def __str__(self) -> str:
        return self.to if self.origin is None else f"{self.origin}-{self.to}"


def delta_dir(name: DeltaName) -> str:
    """Return the directory of a delta, relative to the repository."""
    text = to_modified_base64(name.to)
    if name.origin is not None:
        text = f"{to_modified_base64(name.origin)}-{text}"
    return f"deltas/{text[:2]}/{text[2:]}"


@names_repo
def list_deltas(repo: Repository) -> list[DeltaName]:
    """List the deltas of a repository, sorted."""
    return sorted(_iter_deltas(repo), key=str)


def _iter_deltas(repo: Repository) -> Iterator[DeltaName]:
    for prefix in _subdirs(repo, "deltas"):
        for rest in _subdirs(repo, f"deltas/{prefix}"):
            name = parse_delta_name(prefix + rest)
            if name is not None and exists(
                f"deltas/{prefix}/{rest}/superblock", dir_fd=repo.dir_fd
            ):
                yield name


def parse_delta_name(text: str) -> DeltaName | None:
    """Read the name of a delta's directory, without the slash; None if it is none."""
    # A dash is also a digit of base64url, but these names use plain base64 with "_" for "/".
    origin, _, to = text.rpartition("-")
    try:
        return DeltaName(from_modified_base64(to), from_modified_base64(origin) if origin else None)
    except FormatError:
        return None


def _subdirs(repo: Repository, path: str) -> list[str]:
    try:
        fd = open_dir(path, dir_fd=repo.dir_fd)
    except FileNotFoundError:
        return []
    try:
        with os.scandir(fd) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    finally:
        os.close(fd)


@names_repo
def delete_delta(repo: Repository, name: DeltaName) -> None:
    """Delete a delta and all its parts."""
    remove_tree(delta_dir(name), dir_fd=repo.dir_fd)
