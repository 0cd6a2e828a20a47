# SPDX-License-Identifier: Apache-2.0
"""Parts of deltas on their way into the repository: fetched, inflated, applied by threads.

One thread inflates while another applies, and what waits lies in files: memory does not grow with
the number of parts, nor with their size.
"""

from __future__ import annotations

import os
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, NamedTuple

from ostrya._linux.atomic import open_spool, write_all
from ostrya.delta.apply import PartApplier
from ostrya.delta.part_reader import open_inline_part, open_part_file
from ostrya.errors import FetchError, FormatError, IntegrityError
from ostrya.fetch.fetcher import Request
from ostrya.formats.delta_name import part_path
from ostrya.progress import Advanced, Finished, Started, Unit
from ostrya.pull.errors import DeltaPartNotServed
from ostrya.workers import default_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from ostrya.delta.part_reader import Payload
    from ostrya.fetch.fetcher import Fetcher, Response
    from ostrya.formats.delta_superblock import PartHeader, Superblock
    from ostrya.progress import ProgressSink
    from ostrya.pull.engine import Places
    from ostrya.repo.transaction import Transaction

TASK = "receiving delta parts"
_MAX_THREADS = 2
_MAX_WAITING = 4


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
        return self.under_way >= _MAX_WAITING

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


class PartFetcher:
    """Gets the parts of one delta, and hands them on."""

    def __init__(
        self,
        tx: Transaction,
        block: Superblock,
        fetcher: Fetcher,
        places: Places,
        progress: ProgressSink,
    ) -> None:
        """Prepare.

        Args:
            tx: Where objects are written.
            block: The delta's head.
            fetcher: Gets files.
            places: Where they are.
            progress: Told about bytes.
        """
        self._tx = tx
        self._block = block
        self._fetcher = fetcher
        self._places = places
        self._progress = progress
        self._received = 0

    def run(self, indexes: Sequence[int], sink: PartSink) -> None:
        """Fetch and apply parts.

        Raises:
            FetchError: One could not be had.
            OstryaError: One was refused.
        """
        block = self._block
        total = sum(block.parts[index].size for index in indexes)
        self._progress.send(Started(TASK, total, Unit.BYTES))
        waiting = list(reversed(indexes))
        while waiting or self._fetcher.in_flight or sink.under_way:
            self._ask(waiting, sink)
            if self._fetcher.in_flight:
                for key, answer in self._fetcher.wait(0.1 if sink.under_way else None):
                    self._take(int(str(key)), answer, sink)
                sink.collect()
            else:
                sink.collect(wait=True)
            self._progress.send(Advanced(TASK, self._received, total))
        self._progress.send(Finished(TASK, self._received))

    def _ask(self, waiting: list[int], sink: PartSink) -> None:
        while (
            waiting
            and self._fetcher.room > 0
            and sink.under_way + self._fetcher.in_flight < _MAX_WAITING
        ):
            index = waiting.pop()
            header = self._block.parts[index]
            inline = self._block.inline_part(index)
            if inline is None:
                urls = self._places.content_urls(part_path(self._block.name, index))
                self._fetcher.submit(index, Request(urls, header.size, spool=True))
            else:
                self._put_inline(index, inline, sink)

    def _put_inline(
        self, index: int, inline: tuple[int, memoryview | bytes], sink: PartSink
    ) -> None:
        header = self._block.parts[index]
        spool_fd = self._tx.repo.tmp_fd
        self._received += header.size
        sink.put(
            PartJob(
                header,
                lambda: open_inline_part(*inline, header, spool_fd),
                f"Executing delta part {index}",
            )
        )

    def _take(self, index: int, answer: Response | FetchError, sink: PartSink) -> None:
        if isinstance(answer, FetchError):
            raise answer
        if answer.is_absent:
            raise DeltaPartNotServed(index, answer)
        header = self._block.parts[index]
        self._received += header.size
        fd = self._spooled(answer)
        spool_fd = self._tx.repo.tmp_fd
        sink.put(
            PartJob(
                header,
                lambda: open_part_file(fd, header, spool_fd),
                f"While fetching {answer.url}",
            )
        )

    def _spooled(self, answer: Response) -> int:
        if answer.spool_fd != -1:
            return answer.spool_fd
        fd = open_spool(self._tx.repo.tmp_fd)
        try:
            write_all(fd, answer.body)
        except BaseException:
            os.close(fd)
            raise
        return fd
