# SPDX-License-Identifier: Apache-2.0
"""What a repository refuses or lacks. Scripts compare some of these sentences with libostree's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import FetchError, IntegrityError, RepoError
from ostrya.formats.object_name import ObjectName, ObjectType

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum


class ObjectNotFound(RepoError):
    """An object is neither in the repository nor in its parents.

    Attributes:
        name: The object.
    """

    def __init__(self, name: ObjectName) -> None:
        if name.type == ObjectType.FILE:
            message = f"Couldn't find file object '{name.checksum}'"
        else:
            message = f"No such metadata object {name}"
        super().__init__(message)
        self.name = name


class RefNotFound(RepoError):
    """A ref does not exist.

    Attributes:
        refspec: What was asked for.
    """

    def __init__(self, refspec: str) -> None:
        super().__init__(f"Refspec '{refspec}' not found")
        self.refspec = refspec


class RefConflict(RepoError):
    """A ref cannot be written: the name is taken in another sense, or not allowed here."""


class RepoNotFound(RepoError):
    """There is no repository at a path."""


class RepoModeError(RepoError):
    """The repository's mode does not allow what was asked."""


class RepoConfigError(RepoError):
    """The repository's configuration holds something that cannot be used."""


class NamesNotUtf8(RepoError):
    """This process takes the names of files for something else than UTF-8.

    Attributes:
        encoding: What it takes them for.
    """

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"Names in a repository are UTF-8, but this Python takes names of files for {encoding}",
            hint="start it with PYTHONUTF8=1 in the environment, or with -X utf8",
        )
        self.encoding = encoding


class RepoLocked(RepoError):
    """Another process holds the repository's lock, and did not let go in time."""


class TransactionError(RepoError):
    """A transaction was used in the wrong order."""


class LowSpace(RepoError):
    """Writing would go below the free space that the repository is told to leave."""


class ObjectInvalid(IntegrityError):
    """An object's content cannot be what its repository's mode stores.

    Attributes:
        name: The object.
    """

    def __init__(self, name: ObjectName, reason: str) -> None:
        super().__init__(f"Object {name} is invalid: {reason}")
        self.name = name
        self.reason = reason


class ChecksumMismatch(IntegrityError):
    """An object's bytes do not hash to its name.

    Attributes:
        name: The object.
        actual: What its bytes hash to.
    """

    def __init__(self, name: ObjectName, actual: Checksum) -> None:
        super().__init__(
            f"Corrupted {name.type.suffix} object; checksum expected='{name.checksum}' "
            f"actual='{actual}'"
        )
        self.name = name
        self.actual = actual


class BindingMismatch(IntegrityError):
    """A commit says that it belongs under other refs, or to another collection."""


class RepoCorrupted(IntegrityError):
    """The repository holds objects that are damaged or missing."""


class BucketError(FetchError):
    """A bucket does not take or give something."""


class BucketBusy(RepoError):
    """Somebody else works on a bucket, and both at once would lose objects."""
