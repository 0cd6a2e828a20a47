# SPDX-License-Identifier: Apache-2.0
"""Parts of deltas on their way into the repository: fetched, and handed to those who apply them.

What waits lies in files: memory does not grow with the number of parts, nor with their size.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import open_spool, write_all
from ostrya.delta.part_reader import open_inline_part, open_part_file
from ostrya.delta.part_sink import MAX_WAITING, PartJob
from ostrya.errors import FetchError
from ostrya.fetch.fetcher import Request, each_completion
from ostrya.formats.delta_name import part_path
from ostrya.progress import Advanced, Finished, Started, Unit
from ostrya.pull.errors import DeltaPartNotServed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.delta.part_sink import PartSink
    from ostrya.fetch.fetcher import Fetcher, Response
    from ostrya.formats.delta_superblock import Superblock
    from ostrya.progress import ProgressSink
    from ostrya.pull.places import Places
    from ostrya.repo.transaction import Transaction

TASK = "receiving delta parts"
MAKING_TASK = "making objects"
_REPORT_S = 0.5


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
        unpacked = sum(block.parts[index].unpacked_size for index in indexes)
        self._progress.send(Started(TASK, total, Unit.BYTES))
        self._progress.send(Started(MAKING_TASK, unpacked, Unit.BYTES))
        waiting = list(reversed(indexes))
        while waiting or self._fetcher.in_flight or sink.under_way:
            self._ask(waiting, sink)
            if self._fetcher.in_flight:
                arrived = self._fetcher.wait(0.1 if sink.under_way else None)
                for key, answer in each_completion(arrived):
                    self._take(int(str(key)), answer, sink)
                sink.collect()
            else:
                sink.collect(wait=True, patience_s=_REPORT_S)
            self._progress.send(Advanced(TASK, self._received, total))
            self._progress.send(Advanced(MAKING_TASK, min(sink.made, unpacked), unpacked))
        self._progress.send(Finished(TASK, self._received))
        self._progress.send(Finished(MAKING_TASK, min(sink.made, unpacked)))

    def _ask(self, waiting: list[int], sink: PartSink) -> None:
        while (
            waiting
            and self._fetcher.room > 0
            and sink.under_way + self._fetcher.in_flight < MAX_WAITING
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
