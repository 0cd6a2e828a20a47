# SPDX-License-Identifier: Apache-2.0
"""Where a root file system comes from, and taking it in.

A directory, an archive, a container image, a commit, or a Debian made on the spot. Device nodes,
sockets and pipes are left out, and what is below the places that the kernel fills.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from ostrya.image.errors import SourceError
from ostrya.image.intake.blobs import first_names
from ostrya.image.intake.commits import take_commit
from ostrya.image.intake.containers import take_docker_archive, take_oci
from ostrya.image.intake.debian import take_debian
from ostrya.image.intake.plain import take_archive, take_directory
from ostrya.image.intake.rules import DEFAULT_LIMITS, Keeping
from ostrya.image.source_kinds import (
    AnySource,
    ArchiveSource,
    CommitSource,
    DebianSource,
    DirectorySource,
    DockerArchiveSource,
    OciSource,
    parse_source,
)
from ostrya.image.tree import TreeEditor
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, ProgressSink

if TYPE_CHECKING:
    from ostrya.image.intake.containers import Container
    from ostrya.repo.transaction import Transaction
    from ostrya.tree.archive_import import ArchiveExtent
    from ostrya.tree.mutable_tree import MutableTree

# How an archive of a container image begins, and that of a root file system never.
_OF_CONTAINER = re.compile(
    r"blobs(/.*)?|oci-layout|index\.json|manifest\.json|repositories|[0-9a-f]{64}(/.*|\.json|\.tar)?"
)
_LOOKED_AT = 3


class Source(NamedTuple):
    """A root file system that was taken in.

    Attributes:
        editor: Its tree.
        left_out: Paths of device nodes, sockets and pipes elsewhere than in ``/dev``.
        origin: What it was exactly: the digest of an image, a commit; empty if there is no name.
        labels: Those of a container image, by name, in order.
        newest: When the last of what was taken in was changed, in seconds since 1970 UTC; of a
            commit, when that was made.
    """

    editor: TreeEditor
    left_out: tuple[str, ...]
    origin: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    newest: int = 0


def take_in(tx: Transaction, path: str, *, progress: ProgressSink = NULL_PROGRESS) -> Source:
    """Store the files of a root file system; see `take_in_source`.

    Args:
        tx: Where objects are written.
        path: What somebody wrote: a path, or one of the words of `source_kinds`.
        progress: Told about files.

    Raises:
        SourceError: It is none, or is not there.
    """
    return take_in_source(tx, find_source(path), progress=progress)


def find_source(text: str) -> AnySource:
    """Return what somebody means; of a plain path, what it looks like.

    Raises:
        SourceError: There is nothing, or nothing that could be one.
    """
    spelled = parse_source(text)
    if spelled is not None:
        return spelled
    try:
        mode = os.stat(text).st_mode
    except FileNotFoundError:
        raise SourceError(f"there is no root file system {text}") from None
    if stat.S_ISDIR(mode):
        return OciSource(text) if os.path.exists(f"{text}/oci-layout") else DirectorySource(text)
    if not stat.S_ISREG(mode):
        raise SourceError(f"{text} is neither a directory nor an archive")
    names = first_names(text, _LOOKED_AT)
    if not names or not all(_OF_CONTAINER.fullmatch(name) for name in names):
        return ArchiveSource(text)
    # Newer ones are both, and say more of themselves as the first.
    if any(name.startswith(("blobs", "oci-layout", "index.json")) for name in names):
        return OciSource(text)
    return DockerArchiveSource(text)


def take_in_source(
    tx: Transaction,
    source: AnySource,
    *,
    limits: ArchiveExtent = DEFAULT_LIMITS,
    progress: ProgressSink = NULL_PROGRESS,
) -> Source:
    """Store the files of a root file system.

    Args:
        tx: Where objects are written.
        source: What it is made of.
        limits: How much an archive may hold.
        progress: Told about files.

    Raises:
        SourceError: It is not there, is none, is not whole, or cannot be made.
        ArchiveError: An archive is damaged, its paths are hostile, or it holds too much.
        UnsupportedFile: A directory holds what cannot be committed.
        RepoError: A commit is not whole.
        OSError: Something cannot be read, or not be written.
    """
    keep = Keeping()
    if isinstance(source, (OciSource, DockerArchiveSource)):
        if isinstance(source, OciSource):
            image = take_oci(tx, source, keep, limits, progress)
        else:
            image = take_docker_archive(tx, source, keep, limits, progress)
        return _of_container(tx, image, keep)
    if isinstance(source, CommitSource):
        commit = take_commit(tx, source.repo, source.rev, progress)
        editor = TreeEditor(tx, commit.tree)
        return Source(editor, (), f"ostree:{commit.checksum}", newest=commit.timestamp)
    if isinstance(source, DebianSource):
        tree = take_debian(tx, source, keep, limits=limits, progress=progress)
    else:
        tree = _take_path(tx, source, keep, limits, progress)
    return Source(TreeEditor(tx, tree), tuple(keep.left_out), newest=keep.newest)


def _of_container(tx: Transaction, image: Container, keep: Keeping) -> Source:
    origin = "" if image.digest is None else f"oci:{image.digest}"
    left_out = tuple(keep.left_out)
    return Source(TreeEditor(tx, image.root), left_out, origin, image.labels, keep.newest)


def _take_path(
    tx: Transaction,
    source: DirectorySource | ArchiveSource,
    keep: Keeping,
    limits: ArchiveExtent,
    progress: ProgressSink,
) -> MutableTree:
    try:
        if isinstance(source, DirectorySource):
            return take_directory(tx, source.path, keep, progress)
        with open(source.path, "rb") as stream:
            return take_archive(
                tx, stream, keep, shown=source.path, limits=limits, progress=progress
            )
    except FileNotFoundError as exc:
        if os.path.lexists(source.path):
            raise
        raise SourceError(f"there is no root file system {source.path}") from exc
