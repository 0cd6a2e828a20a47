# SPDX-License-Identifier: Apache-2.0
"""What is asked and what is answered, and the protocol of whoever goes and gets it."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, Protocol, Self

from ostrya.errors import FetchError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from types import TracebackType

MEMORY_BODY_BYTES = 4 * 1024 * 1024
"""A longer body is in a file."""
ABSENT = (403, 404, 410)
"""These statuses say that there is no such thing; bucket stores say 403 where others say 404."""
HEAD_BYTES = 16
"""So much of a body is shown to who can say from it how long the whole may be."""


class Request(NamedTuple):
    """One thing to get.

    Attributes:
        urls: Where it is, alternatives in the order to try.
        max_bytes: How long the body may be, decoded.
        etag: Answer 304 if it still has this tag.
        last_modified: Answer 304 if it has not changed since, seconds since the epoch.
        offset: Leave out so many bytes at the beginning; a server may answer 200 with all of it.
        spool: Have the body in a file however short it is.
        headers: Names and values, besides those of every request.
        compressed: The server may compress the body for the journey.
        longest: Given the first ``HEAD_BYTES`` of the body, says how long it may be: an endless
            one is noticed before it has filled the disk.
    """

    urls: tuple[str, ...]
    max_bytes: int
    etag: str | None = None
    last_modified: int | None = None
    offset: int = 0
    spool: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    compressed: bool = False
    longest: Callable[[bytes], int] | None = None


class Response(NamedTuple):
    """What an address answered.

    Attributes:
        status: 200, 206 for a part, 304 for what has not changed, or one of ``ABSENT``.
        url: Who answered, after redirects, without user and password.
        body: The bytes, unless they are in a file.
        spool_fd: The file that holds them, at its beginning, for the taker to close; else -1. It
            is there to be read: of ``file://`` it is the file itself.
        size: How many bytes there are, in either place.
        etag: The server's tag of this version, as it came.
        last_modified: When it last changed, seconds since the epoch.
    """

    status: int
    url: str
    body: bytes = b""
    spool_fd: int = -1
    size: int = 0
    etag: str | None = None
    last_modified: int | None = None

    @property
    def is_absent(self) -> bool:
        """Whether the server says that there is no such thing."""
        return self.status in ABSENT

    def read(self) -> bytes:
        """Return the whole body, wherever it is; its file is closed."""
        if self.spool_fd < 0:
            return self.body
        with open(self.spool_fd, "rb") as stream:
            return stream.read(self.size)

    def close(self) -> None:
        """Close the file of a body that nobody wants."""
        if self.spool_fd >= 0:
            os.close(self.spool_fd)


Completion = tuple[object, Response | FetchError]


class FetchStats:
    """What a fetcher has done so far.

    Attributes:
        bytes_received: Of bodies, as they came over the wire.
        requests: Sent, each try counted.
        retries: Tries that were not the first.
        connections: Opened.
    """

    __slots__ = ("bytes_received", "connections", "requests", "retries")

    def __init__(self) -> None:
        self.bytes_received = 0
        self.requests = 0
        self.retries = 0
        self.connections = 0


class Fetcher(Protocol):
    """Goes and gets what requests ask for, many at a time."""

    stats: FetchStats

    def submit(self, key: object, request: Request) -> None:
        """Take a request; its completion comes out of ``wait`` under ``key``."""

    def wait(self, timeout_s: float | None) -> list[Completion]:
        """Return what is complete, waiting until something is.

        Args:
            timeout_s: Return empty-handed after so long; None for never.

        Returns:
            At least one completion, unless the time is up or nothing is in flight.
        """

    @property
    def in_flight(self) -> int:
        """How many requests were submitted and not yet returned."""

    @property
    def room(self) -> int:
        """How many more requests it wants now; submitting more costs memory and gains nothing."""

    def close(self) -> None:
        """Drop everything that is under way."""

    def __enter__(self) -> Self:
        """Give itself."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""


def each_completion(completions: Iterable[Completion]) -> Generator[Completion, None, None]:
    """Give completions one by one; whoever stops early leaves no file of the others open."""
    left = deque(completions)
    try:
        while left:
            yield left.popleft()
    finally:
        for _, answer in left:
            if isinstance(answer, Response):
                answer.close()


def fetch_one(fetcher: Fetcher, request: Request) -> Response:
    """Get one thing through a fetcher that has nothing else to do.

    Raises:
        FetchError: It could not be had.
    """
    fetcher.submit(None, request)
    completions = fetcher.wait(None)
    while not completions:
        completions = fetcher.wait(None)
    ((_, answer),) = completions
    if isinstance(answer, FetchError):
        raise answer
    return answer
