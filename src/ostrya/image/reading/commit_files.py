# SPDX-License-Identifier: Apache-2.0
"""Files of a commit, read one by one as those of an image are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.errors import DiskError
from ostrya.repo.reader import load_file
from ostrya.tree.errors import IsADirectory, NotADirectory, PathNotFound, TooManyLinks
from ostrya.tree.lookup import commit_root, resolve_content

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.image.reading.packages import ReadFile
    from ostrya.repo.repository import Repository


def commit_reader(repo: Repository, commit: Checksum) -> ReadFile:
    """Return what reads a file of a commit, links followed; None if it is not there.

    Raises:
        ObjectNotFound: The commit is not complete.
    """
    root = commit_root(repo, commit)

    def read(path: str, max_bytes: int) -> bytes | None:
        try:
            found = resolve_content(repo, root, path)
        except (PathNotFound, IsADirectory, NotADirectory, TooManyLinks):
            return None
        with load_file(repo, found.checksum) as file:
            if file.size > max_bytes:
                raise DiskError(f"{path} has {file.size} bytes, more than {max_bytes}")
            return b"".join(file.chunks())

    return read
