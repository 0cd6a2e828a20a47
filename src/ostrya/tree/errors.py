# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a tree on its way into a commit or out of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import FormatError, IntegrityError, RepoError

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum


class ImageDigestMismatch(IntegrityError):
    """The composefs image of a commit is not the one that the commit promises.

    Attributes:
        actual: Digest of the image.
        expected: Digest in the commit.
    """

    def __init__(self, actual: Checksum, expected: Checksum) -> None:
        super().__init__(
            f"Generated composefs image digest ({actual}) "
            f"doesn't match expected digest ({expected})"
        )
        self.actual = actual
        self.expected = expected


class PolicyError(RepoError):
    """An SELinux policy is incomplete."""


class ContextsError(FormatError):
    """A line of an SELinux policy's ``file_contexts`` cannot be used."""


class ParentMissing(RepoError):
    """An archive has an entry without an entry for its directory."""


class ArchiveError(FormatError):
    """An archive is damaged, or of no known kind."""


class KernelNotFound(RepoError):
    """A tree has no kernel, or more than one, where bootable trees have theirs."""


class HardlinkImpossible(RepoError):
    """Hard links were asked for, and cannot be had."""


class PathNotFound(RepoError):
    """A commit has no entry of this path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"No such file or directory: {path}")
        self.path = path


class NotADirectory(RepoError):
    """A path goes through something that is not a directory, or should be one."""

    def __init__(self, path: str) -> None:
        super().__init__(f"Not a directory: {path}")
        self.path = path


class IsADirectory(RepoError):
    """Content was asked for, and the path is a directory."""

    def __init__(self, path: str) -> None:
        super().__init__(f"Can't open directory: {path}")
        self.path = path


class TooManyLinks(RepoError):
    """Symbolic links lead in a circle, or through too many others."""

    def __init__(self, path: str) -> None:
        super().__init__(f"Too many levels of symbolic links: {path}")
        self.path = path


class UnmatchedPaths(RepoError):
    """A list names paths that the tree does not have.

    Attributes:
        paths: Those paths.
    """

    def __init__(self, what: str, paths: tuple[str, ...]) -> None:
        super().__init__(f"Unmatched {what} paths")
        self.what = what
        self.paths = paths


class TreeConflict(RepoError):
    """A file and a directory want the same place in a tree."""


class UnsupportedFile(RepoError):
    """A tree holds something that is neither file, directory nor symbolic link."""

    def __init__(self, path: str) -> None:
        super().__init__(f"Not a regular file or symlink: {path}")
        self.path = path


class ChangedWhileRead(RepoError):
    """A file changed between being found and being read to its end."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path}: file changed while it was being read",
            hint="commit from a tree that nothing writes to, a snapshot or a copy",
        )
        self.path = path
