# SPDX-License-Identifier: Apache-2.0
"""Static deltas on their way to a target: those that are here and lead to what is pushed.

Parts go before the superblock, by which a delta is there; so nobody finds one that is not whole.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ostrya._linux.dirfd import open_file_below, read_chunks
from ostrya.formats.delta_name import SUPERBLOCK, delta_dir, superblock_path
from ostrya.repo.delta_files import list_deltas, list_folder

if TYPE_CHECKING:
    from collections.abc import Collection

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository


@runtime_checkable
class DeltaTarget(Protocol):
    """A place that takes deltas."""

    def has_delta(self, path: str) -> bool:
        """Say whether there is a delta, by the path of its superblock."""

    def put_delta_file(self, path: str, fd: int, superblock_sha256: str) -> int:
        """Store a file of a delta that has such a superblock; return how many bytes it has."""


def send_deltas(target: DeltaTarget, source: Repository, commits: Collection[Checksum]) -> int:
    """Send the deltas that lead to some commits and are not there; return how many.

    Raises:
        FetchError: The target cannot be reached, or does not take one.
    """
    count = 0
    for name in list_deltas(source):
        if name.to not in commits or target.has_delta(superblock_path(name)):
            continue
        folder = delta_dir(name)
        files = [one for one in list_folder(source, folder, folders=False) if one != SUPERBLOCK]
        digest = _digest(source, superblock_path(name))
        for file in (*sorted(files), SUPERBLOCK):
            fd = open_file_below(source.dir_fd, f"{folder}/{file}")
            try:
                target.put_delta_file(f"{folder}/{file}", fd, digest)
            finally:
                os.close(fd)
        count += 1
    return count


def _digest(source: Repository, path: str) -> str:
    fd = open_file_below(source.dir_fd, path)
    try:
        digest = hashlib.sha256()
        for piece in read_chunks(fd):
            digest.update(piece)
    finally:
        os.close(fd)
    return digest.hexdigest()
