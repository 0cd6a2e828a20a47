# SPDX-License-Identifier: Apache-2.0
"""Many requests at a time, each made by a thread that waits for its answer."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

DEFAULT_JOBS = 16
_T = TypeVar("_T")
_R = TypeVar("_R")


def each(work: Callable[[_T], _R], items: Iterable[_T], jobs: int) -> Iterator[_R]:
    """Do something with each of many items in threads; results come as they are ready.

    At most two items per thread are under way. The first error ends it, once what had begun is
    over.
    """
    pending: set[Future[_R]] = set()
    todo = iter(items)
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        try:
            more = True
            while more or pending:
                while more and len(pending) < 2 * jobs:
                    for item in todo:
                        pending.add(pool.submit(work, item))
                        break
                    else:
                        more = False
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            for future in pending:
                future.cancel()
