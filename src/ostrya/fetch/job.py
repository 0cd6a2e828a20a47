# SPDX-License-Identifier: Apache-2.0
"""One request on its way: its tries, and the bytes that came so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.fetch.answer import is_strong_tag
from ostrya.fetch.body import Body
from ostrya.fetch.coding import longest_coded
from ostrya.fetch.fetcher import HEAD_BYTES
from ostrya.fetch.retry import Attempts

if TYPE_CHECKING:
    from ostrya.errors import FetchError
    from ostrya.fetch.answer import Header
    from ostrya.fetch.body import Memory
    from ostrya.fetch.fetcher import Request, Response

# Less than this comes again sooner than it is asked to go on.
_WORTH_RESUMING_BYTES = 64 * 1024


class Job:
    """A request and how far it has come.

    Attributes:
        key: The caller's name for it.
        request: What to get.
        attempts: Where it was tried.
        body: What came; kept from a try that was cut when the server can go on from there.
        tag: The version that the kept bytes belong to.
        absent: The answer of an alternative that does not have it.
        error: What went wrong last.
        max_bytes: How long the body may be, as it comes.
    """

    __slots__ = (
        "_is_measured", "absent", "attempts", "body", "error", "key", "max_bytes", "request", "tag",
    )  # fmt: skip

    def __init__(self, key: object, request: Request, memory: Memory, retries: int) -> None:
        self.key = key
        self.request = request
        self.attempts = Attempts(len(request.urls), retries)
        self.body = Body(memory, spool=request.spool)
        self.tag: str | None = None
        self.absent: Response | None = None
        self.error: FetchError | None = None
        self.max_bytes = _longest_asked(request)
        self._is_measured = False

    @property
    def url(self) -> str:
        """The alternative to try."""
        return self.request.urls[self.attempts.index]

    def take(self, chunks: list[bytes], size: int) -> bool:
        """Append chunks of ``size`` bytes to the body; False if it may not be that long.

        Raises:
            OstryaError: There is no room for them.
            OSError: The disk does not take them.
        """
        body = self.body
        if body.size + size > self.max_bytes:
            return False
        body.take(chunks)
        longest = self.request.longest
        if longest is None or self._is_measured or body.size < HEAD_BYTES:
            return True
        self._is_measured = True
        self.max_bytes = min(self.max_bytes, longest(body.head(HEAD_BYTES)))
        return body.size <= self.max_bytes

    def keep_for_resuming(self, header: Header, gained: int) -> None:
        """After a cut, keep what came if the rest can be asked for; forget it otherwise."""
        can_resume = header.status in {200, 206} and not header.encoding
        tag = header.etag or (self.tag if header.status == 206 else None)
        if can_resume and is_strong_tag(tag) and self.body.size >= _WORTH_RESUMING_BYTES:
            self.tag = tag
            if gained >= _WORTH_RESUMING_BYTES:
                self.attempts.made_progress()
        else:
            self.start_over()

    def start_over(self) -> None:
        """Forget what came."""
        self.body.drop()
        self.tag = None
        self.max_bytes = _longest_asked(self.request)
        self._is_measured = False


def _longest_asked(request: Request) -> int:
    return longest_coded(request.max_bytes) if request.compressed else request.max_bytes
