# SPDX-License-Identifier: Apache-2.0
"""Batches worked on by threads, where processes cannot be forked; see ``ostrya.workers``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

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
            more = True
            while more or pending:
                patience_s = PATIENCE_S
                while more and patience_s and len(pending) < jobs * IN_FLIGHT:
                    batch = next(batches, None)
                    if batch is PAUSE:
                        patience_s = 0
                    elif batch is None:
                        more = False
                    else:
                        pending.add(pool.submit(work, batch))
                done, pending = wait(pending, patience_s, return_when=FIRST_COMPLETED)
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
