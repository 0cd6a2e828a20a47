# SPDX-License-Identifier: Apache-2.0
"""Detached metadata: a dictionary beside a commit that can change later; signatures live here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import ensure_dir
from ostrya._linux.naming import name_error
from ostrya.formats.commitmeta import decode_commitmeta, encode_commitmeta
from ostrya.formats.gvariant.vardict import VarDict
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.reader import load_metadata
from ostrya.repo.staged import staged_path

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository


def read_detached(repo: Repository, checksum: Checksum) -> VarDict | None:
    """Return a commit's detached metadata, None if it has none.

    Raises:
        FormatError: What is there is not a dictionary.
    """
    data = read_detached_bytes(repo, checksum)
    return None if data is None else decode_commitmeta(data)


def read_detached_bytes(repo: Repository, checksum: Checksum) -> bytes | None:
    """Return the bytes of a commit's detached metadata, None if it has none."""
    try:
        # While a transaction is under way, its newer version counts.
        return load_metadata(repo, ObjectName(checksum, ObjectType.COMMIT_META))
    except ObjectNotFound:
        return None


def write_detached(repo: Repository, checksum: Checksum, metadata: VarDict | None) -> None:
    """Write a commit's detached metadata, in place of what was there; None empties it.

    During a transaction it becomes visible with the commit itself.
    """
    write_detached_bytes(repo, checksum, encode_commitmeta(metadata or VarDict()))


def write_detached_bytes(repo: Repository, checksum: Checksum, data: bytes) -> None:
    """Write the bytes of a commit's detached metadata, in place of what was there."""
    path = loose_path(ObjectName(checksum, ObjectType.COMMIT_META), archive=False)
    dir_fd = repo.objects_fd if repo.staging_fd == -1 else repo.staging_fd
    place = path if repo.staging_fd == -1 else staged_path(path)
    try:
        ensure_dir(place.partition("/")[0], dir_fd=dir_fd)
        replace_file(place, data, dir_fd=dir_fd, durable=repo.config.fsync)
    except OSError as exc:
        name_error(exc, f"{repo.path}/objects/{path}")
        raise
