# SPDX-License-Identifier: Apache-2.0
"""One request on its way: its tries, and the bytes that came so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.fetch.answer import is_strong_tag
from ostrya.fetch.body import Body
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
    """

    __slots__ = ("absent", "attempts", "body", "error", "key", "request", "tag")

    def __init__(self, key: object, request: Request, memory: Memory, retries: int) -> None:
        self.key = key
        self.request = request
        self.attempts = Attempts(len(request.urls), retries)
        self.body = Body(memory, spool=request.spool)
        self.tag: str | None = None
        self.absent: Response | None = None
        self.error: FetchError | None = None

    @property
    def url(self) -> str:
        """The alternative to try."""
        return self.request.urls[self.attempts.index]

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
