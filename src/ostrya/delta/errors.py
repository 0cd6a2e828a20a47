# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with applying a delta that is none of its bytes.

::

    RepoError
    └── DeltaRefused          it does not fit this repository, or cannot be applied this way
    IntegrityError
    └── PartMismatch          a part is not the one that the superblock names
    SignatureError
    └── DeltaNotTrusted       nobody trusted vouches for it
"""

from __future__ import annotations

from ostrya.errors import IntegrityError, RepoError, SignatureError


class DeltaRefused(RepoError):
    """A delta does not fit this repository, or cannot be applied this way."""


class PartMismatch(IntegrityError):
    """A part is not the one that the superblock names.

    Attributes:
        expected: Its checksum.
        actual: What was found.
    """

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(
            f"Checksum mismatch in static delta part; expected={expected} actual={actual}"
        )
        self.expected = expected
        self.actual = actual


class DeltaNotTrusted(SignatureError):
    """A delta is not signed where it has to be."""
