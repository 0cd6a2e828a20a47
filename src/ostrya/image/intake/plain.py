# SPDX-License-Identifier: Apache-2.0
"""A root file system in a directory, or in an archive.

An archive is the way of an ordinary user: it says who owns what. A directory that root looks at
says so too; in one that somebody else looks at, everything is root's.
"""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

from ostrya.errors import FormatError
from ostrya.image.errors import SourceError
from ostrya.image.intake.rules import is_filled
from ostrya.tree.archive_import import ArchiveExtent, import_archive
from ostrya.tree.errors import TreeConflict
from ostrya.tree.modifier import CommitModifier
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.scan import write_directory

if TYPE_CHECKING:
    from ostrya.image.intake.rules import Keeping
    from ostrya.progress import ProgressSink
    from ostrya.repo.transaction import Transaction


def take_directory(
    tx: Transaction, path: str, keep: Keeping, progress: ProgressSink
) -> MutableTree:
    """Store the files of a directory.

    Raises:
        UnsupportedFile: The directory holds what cannot be committed.
        OSError: Something cannot be read, or not be written.
    """
    tree = MutableTree()
    modifier = CommitModifier(filter=keep)
    if os.geteuid() != 0:
        modifier.owner_uid = modifier.owner_gid = 0
    write_directory(tx, path, tree, modifier, progress=progress)
    keep.see_time(_newest_change(path))
    return tree


def take_archive(
    tx: Transaction,
    stream: IO[bytes],
    keep: Keeping,
    *,
    shown: str,
    limits: ArchiveExtent,
    progress: ProgressSink,
) -> MutableTree:
    """Store the files of an archive.

    Args:
        tx: Where objects are written.
        stream: The archive.
        keep: What is taken in.
        shown: What it is called in messages.
        limits: How much it may hold.
        progress: Told about files.

    Raises:
        ArchiveError: The archive is damaged, its paths are hostile, or it holds too much.
        SourceError: Paths in it lie in each other's way.
        OSError: Something cannot be read, or not be written.
    """
    tree = MutableTree()
    modifier = CommitModifier(filter=keep)
    try:
        taken = import_archive(
            tx, stream, tree, modifier, autocreate_parents=True, limits=limits, progress=progress
        )
    except TreeConflict as exc:
        raise SourceError(
            f"{shown}: {exc.message}",
            hint="a path of the archive leads through a file or a link that it has itself",
        ) from exc
    except FormatError as exc:
        exc.put_first(shown)
        raise
    keep.see_time(taken.newest)
    return tree


def _newest_change(top: str) -> int:
    """Return when the last of what is in a directory was changed, in seconds since 1970 UTC.

    When the directory itself was, says no more than when it came there.
    """
    newest = 0
    pending = [""]
    while pending:
        folder = pending.pop()
        with os.scandir(f"{top}/{folder}") as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}"
                if not is_filled(path):
                    newest = max(newest, int(entry.stat(follow_symlinks=False).st_mtime))
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(path)
    return newest
