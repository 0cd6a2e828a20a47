# SPDX-License-Identifier: Apache-2.0
"""Parts applied by threads: one inflates while another runs operations.

Whoever has parts hands them over and goes on; the first error wins. Only one part at a time is
inflated, so memory stays bounded however many there are.
"""

from __future__ import annotations

from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, NamedTuple

from ostrya.delta.apply import PartApplier
from ostrya.errors import FormatError, IntegrityError
from ostrya.workers import default_jobs

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from ostrya.delta.part_reader import Payload
    from ostrya.formats.delta_superblock import PartHeader, Superblock
    from ostrya.repo.transaction import Transaction

MAX_WAITING = 4
_MAX_THREADS = 2


class PartJob(NamedTuple):
    """A part that is here, to be applied.

    Attributes:
        header: What the superblock says of it.
        open: Inflates it.
        origin: Where it came from, for the sentence if it is refused.
    """

    header: PartHeader
    open: Callable[[], Payload]
    origin: str


class PartSink:
    """Threads that apply parts.

    Attributes:
        applied: How many are in the repository by now.
    """

    def __init__(
        self,
        tx: Transaction,
        block: Superblock,
        *,
        jobs: int | None = None,
        check_user_only_modes: bool = False,
    ) -> None:
        """Start the threads.

        Args:
            tx: Where objects are written.
            block: The delta's head.
            jobs: How many threads, two at the most; one per processor if None.
            check_user_only_modes: Refuse files that mode bare-user-only cannot hold.
        """
        count = min(default_jobs() if jobs is None else max(jobs, 1), _MAX_THREADS)
        self._tx = tx
        self._todo: SimpleQueue[PartJob | None] = SimpleQueue()
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        self._inflating = Lock()
        self._failed = False
        self.under_way = 0
        self.applied = 0
        self._writers = [tx.new_writer() for _ in range(count)]
        self._threads = []
        for writer in self._writers:
            applier = PartApplier(
                tx.repo, writer, block.to, check_user_only_modes=check_user_only_modes
            )
            thread = Thread(target=self._work, args=(applier,), daemon=True)
            thread.start()
            self._threads.append(thread)

    @property
    def is_full(self) -> bool:
        """Whether the next part should wait."""
        return self.under_way >= MAX_WAITING

    def put(self, job: PartJob) -> None:
        """Hand over a part."""
        self.under_way += 1
        self._todo.put(job)

    def collect(self, *, wait: bool = False) -> None:
        """Take note of what is applied.

        Args:
            wait: Wait until something is, unless nothing is under way.

        Raises:
            OstryaError: A part was refused.
            OSError: Something could not be written.
        """
        while self.under_way and (wait or not self._done.empty()):
            error = self._done.get()
            self.under_way -= 1
            wait = False
            if error is not None:
                raise error
            self.applied += 1

    def close(self) -> None:
        """End the threads; what was handed over and not begun is dropped."""
        self._failed = True
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join()
        for writer in self._writers:
            self._tx.counts.add(writer.counts.take())
        self._writers.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _work(self, applier: PartApplier) -> None:
        while (job := self._todo.get()) is not None:
            error: BaseException | None = None
            try:
                self._apply(applier, job)
            except (FormatError, IntegrityError) as exc:
                exc.put_first(job.origin)
                error = exc
            except BaseException as exc:  # noqa: BLE001  # raised again by the collecting thread
                error = exc
            self._done.put(error)

    def _apply(self, applier: PartApplier, job: PartJob) -> None:
        # One at a time: a decoder takes as much memory as everything else together.
        with self._inflating:
            payload = job.open()
        with payload:
            if not self._failed:
                applier.run(job.header, payload)
