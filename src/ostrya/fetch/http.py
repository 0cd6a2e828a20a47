# SPDX-License-Identifier: Apache-2.0
"""HTTP and HTTPS through libcurl: many requests in flight on few connections."""

from __future__ import annotations

import heapq
import itertools
import time
from collections import deque
from contextlib import suppress
from select import select
from typing import TYPE_CHECKING, Self

from ostrya.errors import FetchError, OstryaError
from ostrya.fetch.addresses import parse_address
from ostrya.fetch.body import HELD_BYTES, Memory
from ostrya.fetch.curl import pycurl
from ostrya.fetch.errors import (
    AddressError,
    BadAnswer,
    BodyTooLarge,
    HttpStatusError,
    RedirectError,
)
from ostrya.fetch.fetcher import FetchStats, Response
from ostrya.fetch.job import Job
from ostrya.fetch.retry import Move, Outcome, is_overloaded
from ostrya.fetch.transfer import Transfer
from ostrya.fetch.verdict import is_unreachable, judge_answer, judge_failure, shown_url
from ostrya.fetch.window import MAX_CONNECTIONS, MAX_STREAMS, Window

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ostrya.fetch.errors import TransferError
    from ostrya.fetch.fetcher import Completion, Request
    from ostrya.fetch.http_options import HttpOptions
    from ostrya.fetch.verdict import Failure

# How often the speeds of transfers are looked at.
_TICK_S = 1.0
# A wait without a descriptor to wait for: names are being resolved, or numbers are past select's.
_BLIND_WAIT_S = 0.01
# So many failures to connect in a row, and a host is only asked when nobody else can be.
_DOWN_AFTER = 3


class HttpFetcher:
    """A ``Fetcher`` for ``http:`` and ``https:``.

    Attributes:
        stats: What it has done so far.
        window: How many requests it has in flight, and why.
    """

    def __init__(
        self,
        options: HttpOptions,
        spool_dir_fd: int,
        require_room: Callable[[int], None] | None = None,
        *,
        sharing: int = 1,
    ) -> None:
        """Begin without a connection.

        Args:
            options: How to speak to the servers.
            spool_dir_fd: Where long bodies go, in files without names; stays the caller's.
            require_room: Called with a number of bytes before they go there; raises an
                ``OstryaError`` if there is no room for them.
            sharing: How many fetchers like this one share the link and the memory.

        Raises:
            FetchOptionError: An option cannot be used.
        """
        self.stats = FetchStats()
        self._sharing = sharing
        self._options = options
        self.window = Window(time.monotonic(), limit=self._limit(MAX_CONNECTIONS))
        self._memory = Memory(spool_dir_fd, HELD_BYTES // sharing, require_room=require_room)
        self._queue: deque[Job] = deque()
        self._delayed: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._active: dict[pycurl.Curl, Transfer] = {}
        self._idle = [Transfer(options)]
        self._done: list[Completion] = []
        self._refusals: dict[str, int] = {}
        self._next_tick = 0.0
        self._is_multiplexed = False
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, MAX_CONNECTIONS)
        self._multi.setopt(pycurl.M_MAXCONNECTS, 2 * MAX_CONNECTIONS)
        self._multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, MAX_STREAMS)

    def _limit(self, most: int) -> int:
        """Return how many requests may be in flight here, of so many for all who share the link."""
        return max(1, min(self._options.max_in_flight or most, most) // self._sharing)

    @property
    def in_flight(self) -> int:
        """How many requests were submitted and not yet returned."""
        return self._under_way + len(self._done)

    @property
    def _under_way(self) -> int:
        return len(self._queue) + len(self._active) + len(self._delayed)

    @property
    def room(self) -> int:
        """How many more requests it wants now."""
        return max(0, 2 * self.window.width - self._under_way)

    def submit(self, key: object, request: Request) -> None:
        """Take a request; its completion comes out of ``wait`` under ``key``."""
        if not request.urls:
            self._done.append((key, AddressError("There is no URL to fetch from")))
            return
        self._queue.append(Job(key, request, self._memory, self._options.retry.retries))

    def wait(self, timeout_s: float | None) -> list[Completion]:
        """Return what is complete, waiting until something is.

        Raises:
            OstryaError: There is no room for a body.
            OSError: A body cannot be written to its file.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            self._start_transfers()
            if self._active:
                self._drive()
                # Waiting right after handles were added costs a wait each: libcurl has yet to
                # say what it waits for.
                if self._start_transfers():
                    self._drive()
            if self._done or not self._under_way:
                break
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                break
            self._sleep(now, deadline)
        done, self._done = self._done, []
        return done

    def _sleep(self, now: float, deadline: float | None) -> None:
        """Wait until there is something to do, or a moment longer."""
        longest = _TICK_S if deadline is None else min(_TICK_S, deadline - now)
        if self._delayed:
            longest = min(longest, max(0.0, self._delayed[0][0] - now))
        if not self._active:
            time.sleep(longest)
            return
        ask_again_ms = self._multi.timeout()
        if ask_again_ms >= 0:
            longest = min(longest, ask_again_ms / 1000)
        reading, writing, excepting = self._multi.fdset()
        if not (reading or writing or excepting):
            time.sleep(min(longest, _BLIND_WAIT_S))
        else:
            select(reading, writing, excepting, longest)

    def _start_transfers(self) -> bool:
        """Give work to handles as far as the window allows; say whether any got some."""
        now = time.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            self._queue.appendleft(heapq.heappop(self._delayed)[2])
        if now >= self._next_tick:
            self._next_tick = now + _TICK_S
            self._look_after_transfers()
        started = False
        while self._queue and len(self._active) < self.window.width:
            self._start(self._queue.popleft())
            started = True
        return started

    def _look_after_transfers(self) -> None:
        """Tell transfers how many share the link, and end those that only waste it."""
        for transfer in list(self._active.values()):
            transfer.watch_speed(self._sharing * len(self._active))
            if transfer.is_flooded:
                error = RedirectError(shown_url(transfer), "a redirect without an end")
                self._refuse(transfer, error)

    def _start(self, job: Job) -> None:
        try:
            address = parse_address(job.url)
            if address.scheme not in {"http", "https"}:
                raise AddressError(f"Cannot fetch {address.url}: not HTTP")
            if self._refusals.get(address.host, 0) >= _DOWN_AFTER and job.error is None:
                self._refusals[address.host] -= 1
                if len(job.request.urls) > 1:
                    job.error = AddressError(f"{address.host} could not be reached before")
                    self._move_on(job, Outcome.TRANSIENT)
                    return
            transfer = self._idle.pop() if self._idle else Transfer(self._options)
            transfer.begin(job, address)
        except FetchError as exc:
            job.error = exc
            self._move_on(job, Outcome.FATAL)
            return
        transfer.watch_speed(self._sharing * (len(self._active) + 1))
        self._active[transfer.curl] = transfer
        self._multi.add_handle(transfer.curl)
        self.stats.requests += 1

    def _drive(self) -> None:
        """Let libcurl work; take in what it has received, and the transfers that it has ended."""
        self._multi.perform()
        for transfer in list(self._active.values()):
            before = transfer.received
            try:
                fits = transfer.absorb()
            except OstryaError as exc:
                exc.put_first(f"While fetching {shown_url(transfer)}")
                raise
            self.stats.bytes_received += transfer.received - before
            if not fits:
                self._cut_short(transfer)
            elif transfer.has_endless_header:
                self._refuse(transfer, BadAnswer(shown_url(transfer), "a header without an end"))
        left = 1
        while left:
            left, answered, failed = self._multi.info_read()
            for curl in answered:
                if (ended := self._active.get(curl)) is not None:
                    self._answered(ended)
            for curl, code, message in failed:
                if (ended := self._active.get(curl)) is not None:
                    self._failed(ended, code, message)

    def _cut_short(self, transfer: Transfer) -> None:
        """End a transfer whose body is longer than it may be."""
        job, header = transfer.job, transfer.final_header()
        if job is not None and header.status in {200, 206}:
            self._refuse(transfer, BodyTooLarge(shown_url(transfer), job.max_bytes))
        else:
            self._answered(transfer)

    def _refuse(self, transfer: Transfer, error: TransferError) -> None:
        """End a transfer that nothing good can come of."""
        job = transfer.job
        self._release(transfer)
        if job is not None:
            self._missed(job, (Outcome.FATAL, error))

    def _answered(self, transfer: Transfer) -> None:
        job, now = transfer.job, time.monotonic()
        if job is None:
            return
        answer = judge_answer(transfer, self._memory)
        self._refusals.pop(parse_address(job.url).host, None)
        self.stats.connections += transfer.curl.getinfo(pycurl.NUM_CONNECTS)
        if not self._is_multiplexed and transfer.is_multiplexed:
            self._is_multiplexed = True
            self.window.limit = self._limit(MAX_STREAMS)
        asked_s = 0.0
        if is_overloaded(transfer.final_header().status):
            self.window.overloaded(now)
            asked_s = transfer.final_header().pause_s(time.time())
        else:
            self.window.completed(now, transfer.received)
        self._release(transfer)
        if isinstance(answer, Response):
            self._done.append((job.key, answer))
        else:
            self._missed(job, answer, asked_s)

    def _failed(self, transfer: Transfer, code: int, message: str) -> None:
        job = transfer.job
        if job is None:
            return
        if code == pycurl.E_FILESIZE_EXCEEDED and transfer.final_header().status not in {200, 206}:
            # Only the page that comes with a refusal is too long.
            self._answered(transfer)
            return
        failure = judge_failure(transfer, code, message)
        if is_unreachable(code):
            host = parse_address(job.url).host
            self._refusals[host] = self._refusals.get(host, 0) + 1
            self.window.overloaded(time.monotonic())
        self._release(transfer)
        self._missed(job, failure)

    def _release(self, transfer: Transfer) -> None:
        """Take a handle out of libcurl's hands, for the next job."""
        del self._active[transfer.curl]
        self._multi.remove_handle(transfer.curl)
        transfer.job = None
        self._idle.append(transfer)

    def _missed(self, job: Job, failure: Failure, asked_s: float = 0.0) -> None:
        outcome, job.error = failure
        if outcome is Outcome.ABSENT and isinstance(job.error, HttpStatusError):
            job.absent = Response(job.error.status, job.error.url)
        if outcome is not Outcome.TRANSIENT:
            job.start_over()
        self._move_on(job, outcome, asked_s)

    def _move_on(self, job: Job, outcome: Outcome, asked_s: float = 0.0) -> None:
        """Try a job elsewhere, or later, or give it up."""
        before = job.attempts.index
        move = job.attempts.record(outcome)
        if move in {Move.NEXT, Move.LATER}:
            self.stats.retries += 1
            if job.attempts.index != before:
                # Another server need not call the same bytes by the same tag.
                job.start_over()
        if move is Move.NEXT:
            self._queue.appendleft(job)
        elif move is Move.LATER:
            import random

            chance = random.random()  # noqa: S311  # spreads clients, guards nothing
            delay_s = self._options.retry.delay_s(job.attempts.failures, chance, asked_s)
            heapq.heappush(self._delayed, (time.monotonic() + delay_s, next(self._order), job))
        else:
            job.body.drop()
            given_up = move is Move.GIVE_UP or job.absent is None
            error = job.error or AddressError("There is nothing to fetch")
            self._done.append((job.key, error if given_up or job.absent is None else job.absent))

    def close(self) -> None:
        """Drop everything that is under way."""
        for transfer in self._active.values():
            if transfer.job is not None:
                transfer.job.body.drop()
            with suppress(pycurl.error):
                self._multi.remove_handle(transfer.curl)
        for job in (*self._queue, *(job for _, _, job in self._delayed)):
            job.body.drop()
        for _, answer in self._done:
            if isinstance(answer, Response):
                answer.close()
        for transfer in (*self._active.values(), *self._idle):
            transfer.curl.close()
        self._active.clear()
        self._queue.clear()
        self._delayed.clear()
        self._idle.clear()
        self._done.clear()
        self._multi.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
