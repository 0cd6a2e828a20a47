# SPDX-License-Identifier: Apache-2.0
"""Deleting single objects."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import unlink_if_exists
from ostrya._linux.naming import name_below
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.formats.tombstone import encode_tombstone
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.modes import RepoMode

if TYPE_CHECKING:
    from ostrya.repo.repository import Repository


def delete_object(repo: Repository, name: ObjectName) -> None:
    """Delete a loose object of this very repository.

    With a commit goes its detached metadata; a tombstone takes its place if the repository is
    configured so.

    Raises:
        ObjectNotFound: It is not there.
    """
    path = loose_path(name, archive=repo.mode == RepoMode.ARCHIVE)
    try:
        os.unlink(path, dir_fd=repo.objects_fd)
    except FileNotFoundError:
        raise ObjectNotFound(name) from None
    except OSError as exc:
        name_below(exc, f"{repo.path}/objects")
        raise
    if name.type != ObjectType.COMMIT:
        return
    metadata = ObjectName(name.checksum, ObjectType.COMMIT_META)
    unlink_if_exists(loose_path(metadata, archive=False), dir_fd=repo.objects_fd)
    if repo.config.tombstone_commits:
        tombstone = ObjectName(name.checksum, ObjectType.TOMBSTONE_COMMIT)
        replace_file(
            loose_path(tombstone, archive=False),
            encode_tombstone(name.checksum),
            dir_fd=repo.objects_fd,
            durable=repo.config.fsync,
        )
