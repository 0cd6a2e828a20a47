# SPDX-License-Identifier: Apache-2.0
"""Batches as workers are given them, and threads that work where no process can be forked.

See ``ostrya.workers``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")

PAUSE: Final[Any] = object()
"""In place of a batch, from who has none yet: lets results and errors be seen meanwhile."""
IN_FLIGHT = 3
# How often somebody who wants to know is told that workers still work.
PATIENCE_S = 0.2


class Feed(Generic[T]):
    """Batches, taken by rounds until there is none, or none yet.

    Attributes:
        more: Whether there may be another one.
        patience_s: How long to wait for results after this round.
    """

    __slots__ = ("_batches", "more", "patience_s")

    def __init__(self, batches: Iterator[T]) -> None:
        self._batches = batches
        self.more = True
        self.patience_s = PATIENCE_S

    def begin_round(self) -> None:
        """Ask again, also who had none."""
        self.patience_s = PATIENCE_S

    def take(self) -> T | None:
        """Return the next batch; None if this round has no other."""
        if not self.more or not self.patience_s:
            return None
        batch = next(self._batches, None)
        if batch is PAUSE:
            self.patience_s = 0.0
            return None
        self.more = batch is not None
        return batch


def run_threads(
    make_worker: Callable[[], Callable[[T], R]],
    batches: Iterator[T],
    jobs: int,
    on_wait: Callable[[], object],
    on_stop: Callable[[], object],
) -> Generator[R, None, None]:
    """Run a worker over batches; parameters and errors are those of ``map_batches``."""
    import threading
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

    local = threading.local()

    def work(batch: T) -> R:
        if not hasattr(local, "work"):
            local.work = make_worker()
        result: R = local.work(batch)
        return result

    pending: set[Future[R]] = set()
    with ThreadPoolExecutor(jobs) as pool:
        try:
            feed = Feed(batches)
            while feed.more or pending:
                feed.begin_round()
                while len(pending) < jobs * IN_FLIGHT and (batch := feed.take()) is not None:
                    pending.add(pool.submit(work, batch))
                done, pending = wait(pending, feed.patience_s, return_when=FIRST_COMPLETED)
                on_wait()
                for future in done:
                    yield future.result()
        except BaseException:
            # The pool waits for those that are at work.
            on_stop()
            raise
        finally:
            for future in pending:
                future.cancel()
