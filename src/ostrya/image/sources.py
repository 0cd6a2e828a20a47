# SPDX-License-Identifier: Apache-2.0
"""Where a root file system comes from: a directory, or an archive.

An archive is the way of an ordinary user: it says who owns what. A directory that root looks at
says so too; in one that somebody else looks at, everything is root's. Device nodes, sockets and
pipes are left out, and what is below the places that the kernel fills.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya.image.errors import SourceError
from ostrya.image.tree import TreeEditor
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, ProgressSink
from ostrya.tree.archive_import import import_archive
from ostrya.tree.modifier import CommitModifier, FileInfo
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.scan import write_directory

if TYPE_CHECKING:
    from ostrya.repo.transaction import Transaction

# What is in them is the running system's.
_FILLED = ("/dev/", "/proc/", "/run/", "/sys/", "/tmp/")  # noqa: S108  # in the tree


class Source(NamedTuple):
    """A root file system that was taken in.

    Attributes:
        editor: Its tree.
        left_out: Paths of device nodes, sockets and pipes elsewhere than in ``/dev``.
    """

    editor: TreeEditor
    left_out: tuple[str, ...]


def take_in(tx: Transaction, path: str, *, progress: ProgressSink = NULL_PROGRESS) -> Source:
    """Store the files of a root file system.

    Args:
        tx: Where objects are written.
        path: A directory, or an archive.
        progress: Told about files.

    Raises:
        SourceError: It is neither, or is not there.
        ArchiveError: The archive is damaged, or its paths are hostile.
        UnsupportedFile: The directory holds what cannot be committed.
        OSError: Something cannot be read, or not be written.
    """
    left_out: list[str] = []

    def keep(name: str, info: FileInfo) -> FileInfo | None:
        if name.startswith(_FILLED):
            return None
        if stat.S_IFMT(info.mode) in (stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK):
            return info
        left_out.append(name)
        return None

    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        raise SourceError(f"there is no root file system {path}") from None
    tree = MutableTree()
    modifier = CommitModifier(filter=keep)
    if stat.S_ISDIR(mode):
        if os.geteuid() != 0:
            modifier.owner_uid = modifier.owner_gid = 0
        write_directory(tx, path, tree, modifier, progress=progress)
    elif stat.S_ISREG(mode):
        with open(path, "rb") as stream:
            import_archive(tx, stream, tree, modifier, autocreate_parents=True, progress=progress)
    else:
        raise SourceError(f"{path} is neither a directory nor an archive")
    return Source(TreeEditor(tx, tree), tuple(left_out))
