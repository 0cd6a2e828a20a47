# SPDX-License-Identifier: Apache-2.0
"""What stops a pull."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import FetchError, IntegrityError, RepoError, SignatureError

if TYPE_CHECKING:
    from ostrya.fetch.fetcher import Response
    from ostrya.formats.object_name import ObjectName


class ObjectNotServed(FetchError):
    """The server says that it does not have an object.

    Attributes:
        name: The object.
        status: What the server answered.
    """

    def __init__(self, name: ObjectName, response: Response) -> None:
        super().__init__(
            f"Server returned HTTP {response.status} for {response.url}",
            hint=f"the remote repository lacks {name}; it may be damaged, or just being updated",
        )
        self.name = name
        self.status = response.status


class RemoteRefusal(RepoError):
    """The remote's settings, or what it serves, do not allow what was asked."""


class NotTrusted(SignatureError):
    """What was pulled lacks a signature that the remote's settings ask for."""


class OlderCommit(IntegrityError):
    """A commit is older than the one that it would take the place of."""


class PushRefused(RepoError):
    """The target cannot be pushed to, or a ref of it would lose commits."""


class RefMoved(RepoError):
    """Somebody else has moved a ref of the target, or its summary, while we were at it.

    Attributes:
        ref: Which one.
    """

    def __init__(self, target: str, ref: str, now: str | None) -> None:
        where = "is gone" if now is None else f"points to {now} by now"
        super().__init__(
            f"ref {ref} of {target} {where}: somebody else has pushed meanwhile",
            hint="nothing of theirs was overwritten; push again",
        )
        self.ref = ref


class PushLockLost(RepoError):
    """Nothing was heard of us for so long that another push took our lock away."""

    def __init__(self, target: str, stale_s: float) -> None:
        super().__init__(
            f"another push has taken the lock of {target} away, "
            f"for nothing was heard of this one for {stale_s:.0f} seconds",
            hint="push again: that looks at refs and summary once more",
        )


class PushFailed(FetchError):
    """The target did not take something."""


class NoDelta(RepoError):
    """A static delta is asked for, and there is none that leads from here to there."""


class NoWay(RepoError):
    """None of the ways to a commit fits the memory and the disk that there are."""


class DeltaPartNotServed(FetchError):
    """The server says that it does not have a part of a delta whose superblock it has.

    Attributes:
        index: Which part, from 0.
    """

    def __init__(self, index: int, response: Response) -> None:
        super().__init__(
            f"Server returned HTTP {response.status} for {response.url}",
            hint="the delta may just be being made, or deleted; --disable-static-deltas does "
            "without it",
        )
        self.index = index
