# SPDX-License-Identifier: Apache-2.0
"""Objects of a release, of a repository or of the one in an image, for who compares releases."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Protocol

from ostrya.formats.commit import Commit
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.image.reading.files import FileKind
from ostrya.named_tuple import NamedTuple
from ostrya.repo import reader
from ostrya.sysroot import paths

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.image.reading.files import View
    from ostrya.repo.repository import Repository

_MOST_METADATA = 64 << 20


class ObjectFacts(NamedTuple):
    """What a file or link is like.

    Attributes:
        kind: What it is.
        size_bytes: How large it is; of a link how long its target.
        mode: Permissions.
        uid: Owner.
        gid: Group.
    """

    kind: FileKind
    size_bytes: int
    mode: int
    uid: int
    gid: int


class Objects(Protocol):
    """Where objects are."""

    def commit(self, checksum: Checksum) -> Commit:
        """Load a commit."""

    def dirtree(self, checksum: Checksum) -> DirTree:
        """Load the entries of a directory."""

    def dirmeta(self, checksum: Checksum) -> DirMeta:
        """Load what a directory is like."""

    def file(self, checksum: Checksum) -> ObjectFacts:
        """Say what a file is like."""


class RepoObjects:
    """Objects of a repository on this machine."""

    def __init__(self, repo: Repository) -> None:
        """Look into a repository, which stays open."""
        self._repo = repo

    def commit(self, checksum: Checksum) -> Commit:
        """Load a commit.

        Raises:
            ObjectNotFound: It is not there.
        """
        return reader.load_commit(self._repo, checksum)

    def dirtree(self, checksum: Checksum) -> DirTree:
        """Load the entries of a directory.

        Raises:
            ObjectNotFound: They are not there.
        """
        return reader.load_dirtree(self._repo, checksum)

    def dirmeta(self, checksum: Checksum) -> DirMeta:
        """Load what a directory is like.

        Raises:
            ObjectNotFound: It is not there.
        """
        return reader.load_dirmeta(self._repo, checksum)

    def file(self, checksum: Checksum) -> ObjectFacts:
        """Say what a file is like.

        Raises:
            ObjectNotFound: It is not there.
        """
        with reader.load_file(self._repo, checksum) as file:
            header = file.header
            if header.is_symlink:
                size = len(header.symlink_target.encode("utf-8", "surrogateescape"))
                return ObjectFacts(FileKind.LINK, size, 0o777, header.uid, header.gid)
            mode = stat.S_IMODE(header.mode)
            return ObjectFacts(FileKind.FILE, file.size, mode, header.uid, header.gid)


class ImageObjects:
    """Objects of the repository in an image, which is a bare one."""

    def __init__(self, view: View) -> None:
        """Look into an image.

        Args:
            view: Its root file system.
        """
        self._view = view

    def commit(self, checksum: Checksum) -> Commit:
        """Load a commit.

        Raises:
            DiskError: It is not there.
            FormatError: It is damaged.
        """
        return Commit.decode(self._read(checksum, "commit"))

    def dirtree(self, checksum: Checksum) -> DirTree:
        """Load the entries of a directory.

        Raises:
            DiskError: They are not there.
            FormatError: They are damaged.
        """
        return DirTree.decode(self._read(checksum, "dirtree"))

    def dirmeta(self, checksum: Checksum) -> DirMeta:
        """Load what a directory is like.

        Raises:
            DiskError: It is not there.
            FormatError: It is damaged.
        """
        return DirMeta.decode(self._read(checksum, "dirmeta"))

    def file(self, checksum: Checksum) -> ObjectFacts:
        """Say what a file is like.

        Raises:
            DiskError: It is not there.
        """
        one = self._view.find(_path(checksum, "file"), follow=False).entry
        return ObjectFacts(one.kind, one.size_bytes, one.mode, one.uid, one.gid)

    def _read(self, checksum: Checksum, kind: str) -> bytes:
        return self._view.read(_path(checksum, kind), max_bytes=_MOST_METADATA)


def _path(checksum: Checksum, kind: str) -> str:
    return f"/{paths.REPO}/objects/{checksum[:2]}/{checksum[2:]}.{kind}"
