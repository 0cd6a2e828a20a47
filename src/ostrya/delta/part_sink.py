# SPDX-License-Identifier: Apache-2.0
"""Parts applied by threads: one inflates while another runs operations.

Whoever has parts hands them over and goes on; the first error wins. ::

    put ──> inflating ──> a part, inflated ──> applying ──> collect

Only one part at a time is inflated, so memory stays bounded however many there are. More threads
would be slower: operations are many small steps, which hold Python's global lock.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from ostrya.delta.apply import PartApplier
from ostrya.errors import FormatError, IntegrityError
from ostrya.named_tuple import NamedTuple
from ostrya.workers import default_jobs

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from ostrya.delta.part_reader import Payload
    from ostrya.formats.delta_superblock import PartHeader, Superblock
    from ostrya.repo.transaction import Transaction

MAX_WAITING = 4
_THREADS = 2


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
            jobs: How many threads, one or two; two where there are as many processors if None.
            check_user_only_modes: Refuse files that mode bare-user-only cannot hold.
        """
        self._tx = tx
        self._todo: SimpleQueue[PartJob | None] = SimpleQueue()
        self._inflated: SimpleQueue[tuple[PartJob, Payload] | None] = SimpleQueue()
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        self._failed = False
        self.under_way = 0
        self.applied = 0
        self._writer = tx.new_writer()
        self._applier = PartApplier(
            tx.repo, self._writer, block.to, check_user_only_modes=check_user_only_modes
        )
        alone = (default_jobs() if jobs is None else jobs) < _THREADS
        works = (self._do_both,) if alone else (self._inflate_all, self._apply_all)
        self._threads = [Thread(target=work, daemon=True) for work in works]
        for thread in self._threads:
            thread.start()

    @property
    def is_full(self) -> bool:
        """Whether the next part should wait."""
        return self.under_way >= MAX_WAITING

    def put(self, job: PartJob) -> None:
        """Hand over a part."""
        self.under_way += 1
        self._todo.put(job)

    @property
    def made(self) -> int:
        """Bytes of the objects that are made by now."""
        return self._applier.made

    def collect(self, *, wait: bool = False, patience_s: float | None = None) -> None:
        """Take note of what is applied.

        Args:
            wait: Wait until something is, unless nothing is under way.
            patience_s: But not longer than this.

        Raises:
            OstryaError: A part was refused.
            OSError: Something could not be written.
        """
        while self.under_way and (wait or not self._done.empty()):
            try:
                error = self._done.get(timeout=patience_s)
            except Empty:
                return
            self.under_way -= 1
            wait = False
            if error is not None:
                try:
                    raise error
                finally:
                    # Held by a frame of its own trace, it would hold files open with it.
                    del error
            self.applied += 1

    def close(self) -> None:
        """End the threads; what was handed over and not begun is dropped."""
        self._failed = True
        self._todo.put(None)
        for thread in self._threads:
            thread.join()
        self._tx.counts.add(self._writer.counts.take())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _do_both(self) -> None:
        while (job := self._todo.get()) is not None:
            payload = self._inflate(job)
            if payload is not None:
                self._apply(job, payload)

    def _inflate_all(self) -> None:
        while (job := self._todo.get()) is not None:
            payload = self._inflate(job)
            if payload is not None:
                self._inflated.put((job, payload))
        self._inflated.put(None)

    def _apply_all(self) -> None:
        while (one := self._inflated.get()) is not None:
            self._apply(*one)

    def _inflate(self, job: PartJob) -> Payload | None:
        try:
            return job.open()
        except BaseException as exc:  # noqa: BLE001  # raised again by the collecting thread
            self._note(job, exc)
            return None

    def _apply(self, job: PartJob, payload: Payload) -> None:
        try:
            with payload:
                if not self._failed:
                    self._applier.run(job.header, payload)
        except BaseException as exc:  # noqa: BLE001  # raised again by the collecting thread
            self._note(job, exc)
        else:
            self._done.put(None)

    def _note(self, job: PartJob, error: BaseException) -> None:
        if isinstance(error, (FormatError, IntegrityError)):
            error.put_first(job.origin)
        self._done.put(error)
