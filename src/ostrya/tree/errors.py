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
