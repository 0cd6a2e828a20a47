# SPDX-License-Identifier: Apache-2.0
"""Doing what the planner wants: one loop that asks, takes what arrives, and hands it on.

The loop runs on the caller's thread and never waits for the disk with files: those are left to
worker processes, or go to the threads of a ``ContentSink``. Commits and directories are verified
and written here, since what they name is needed at once.
"""

from __future__ import annotations

import time
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Protocol, cast

from ostrya.errors import FetchError, FormatError, IntegrityError, SignatureError
from ostrya.fetch.fetcher import Request, each_completion
from ostrya.formats.checksum import Checksum, checksum_of
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.progress import Advanced, Finished, Started, Unit
from ostrya.pull.errors import ObjectNotServed
from ostrya.repo.errors import ChecksumMismatch, ObjectNotFound
from ostrya.repo.partial import is_partial
from ostrya.repo.reader import MAX_METADATA_BYTES, has_object, load_commit, load_dirtree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from ostrya._linux.durability import EarlySync
    from ostrya.fetch.fetcher import Fetcher, Response
    from ostrya.formats.commit import Commit
    from ostrya.progress import ProgressSink
    from ostrya.pull.content import ContentSink
    from ostrya.pull.content_workers import ContentWorkers
    from ostrya.pull.places import Places
    from ostrya.pull.planner import Planner, Wanted
    from ostrya.repo.importer import Importer
    from ostrya.repo.transaction import Transaction

TASK = "receiving objects"
_REPORT_S = 0.5
# How long an error of a worker may wait, while the network is waited for here.
_PAUSE_S = 0.2
# After so many files, what was written is put on the disk while more comes.
_SYNC_FILES = 2048
# What a worker process is given at once.
_BATCH_FILES = 256
# Fewer files are not worth another process.
_SMALL_BATCH = 32
# A commit lists no files, nor does what is detached of it, which is held until the commit is here:
# only what is made to fill memory is larger.
MAX_COMMIT_BYTES = 16 << 20
_DECODERS: dict[ObjectType, Callable[[bytes], object]] = {
    ObjectType.DIR_TREE: DirTree.decode,
    ObjectType.DIR_META: DirMeta.decode,
}


class CommitTaker(Protocol):
    """Decides about commits, and writes those that are taken."""

    def take(self, wanted: Wanted, data: bytes, detached: bytes | None) -> Commit:
        """Verify a commit that arrived, and write it with its detached metadata.

        Raises:
            OstryaError: It is refused.
        """

    def take_present(self, wanted: Wanted, commit: Commit, detached: bytes | None) -> None:
        """Verify a commit that was here before.

        Raises:
            OstryaError: It is refused.
        """


class Engine:
    """Runs a planner against a fetcher, within a transaction.

    Attributes:
        metadata_fetched: Metadata objects that came over the network, or were asked for there.
        content_fetched: Files that did.
        metadata_imported: Metadata objects that a repository on this machine had, among them the
            commits where the remote is one.
        content_imported: Files that one had.
        walked: Commits whose trees are complete once the loop ends.
    """

    def __init__(  # noqa: PLR0913  # its parts, by keyword
        self,
        *,
        tx: Transaction,
        planner: Planner,
        fetcher: Fetcher,
        open_content: Callable[[], ContentSink | ContentWorkers],
        places: Places,
        commits: CommitTaker,
        caches: tuple[Importer, ...] = (),
        is_local: bool = False,
        progress: ProgressSink,
    ) -> None:
        self._tx = tx
        self._repo = tx.repo
        self._planner = planner
        self._fetcher = fetcher
        self._open_content = open_content
        self._workers: ContentWorkers | None = None
        self._is_local = is_local
        self._places = places
        self._commits = commits
        self._caches = caches
        self._progress = progress
        # By commit: its detached metadata arrives first.
        self._detached: dict[Checksum, bytes | None] = {}
        self._reported: Advanced | None = None
        self.metadata_fetched = 0
        self.content_fetched = 0
        self.metadata_imported = 0
        self.content_imported = 0
        self.walked: list[Checksum] = []
        # Files that workers were asked for.
        self._handed_out = 0

    def run(self) -> None:
        """Go on until everything wanted is in the transaction.

        Raises:
            FetchError: Something could not be had.
            IntegrityError: Something is not what it should be.
        """
        progress = self._progress
        progress.send(Started(TASK, None, Unit.ITEMS))
        self._take_first_metadata()
        if not self._planner.is_empty or self._fetcher.in_flight:
            self._take_content()
        progress.send(Finished(TASK, self._done, self.bytes_received))

    def _take_first_metadata(self) -> None:
        """Go on until a file is wanted: where nothing is new, none ever is."""
        while not self._planner.content_waiting:
            self._ask_for_metadata()
            if not self._fetcher.in_flight:
                return
            for key, answer in each_completion(self._fetcher.wait(_REPORT_S)):
                self._take(key, answer, None)
            self._report()

    def _take_content(self) -> None:
        # What stores files is worth loading only where there are files.
        from ostrya.pull.content_workers import ContentWorkers

        content = self._open_content()
        if isinstance(content, ContentWorkers):
            self._workers = content
            self._run_with_workers(content)
        else:
            self._run_here(content)

    def _run_here(self, sink: ContentSink) -> None:
        while True:
            self._ask_for_metadata()
            self._ask_for_content(sink)
            if self._fetcher.in_flight:
                # Not to wait for the network alone: threads may be done before it is, and a long
                # file is told of while it comes.
                patience_s = 0.1 if sink.under_way else _REPORT_S
                for key, answer in each_completion(self._fetcher.wait(patience_s)):
                    self._take(key, answer, sink)
                sink.collect()
            elif sink.under_way:
                sink.collect(wait=True)
            elif self._planner.is_empty:
                break
            self._report()

    def _run_with_workers(self, workers: ContentWorkers) -> None:
        from ostrya.workers import map_batches

        batches = self._batches(workers.jobs)
        results = map_batches(
            workers.make, batches, jobs=workers.jobs, on_wait=self._report, on_stop=workers.stop
        )
        with self._early_sync() as early, closing(results):
            for files, counts in results:
                before = self.content_fetched // _SYNC_FILES
                self.content_fetched += files
                self._tx.counts.add(counts)
                # By now all workers are forked.
                if early is not None and before != self.content_fetched // _SYNC_FILES:
                    early.begin()
                self._report()

    def _early_sync(self) -> AbstractContextManager[EarlySync | None]:
        """Sync now and then, if all is going to be synced in the end."""
        config = self._repo.config
        if not config.fsync or config.per_object_fsync:
            return nullcontext()
        from ostrya._linux.durability import EarlySync

        return EarlySync(self._repo.dir_fd)

    def _batches(self, jobs: int) -> Iterator[list[str]]:
        """Fetch metadata, and yield the files that it names, in batches, as soon as one is full."""
        from ostrya.worker_threads import PAUSE

        next_pause = 0.0
        while True:
            self._ask_for_metadata()
            while self._planner.content_waiting >= _BATCH_FILES:
                yield from self._next_batch(_BATCH_FILES)
            if self._fetcher.in_flight:
                for key, answer in each_completion(self._fetcher.wait(_PAUSE_S)):
                    self._take(key, answer, None)
                self._report()
                if (now := time.monotonic()) >= next_pause:
                    next_pause = now + _PAUSE_S
                    yield PAUSE
            elif self._planner.is_empty:
                return
            elif self._planner.content_waiting and not self._planner.metadata_waiting:
                # The rest of a large pull, or all of a small one: something for every worker.
                waiting = self._planner.content_waiting
                yield from self._next_batch(max(-(-waiting // jobs), _SMALL_BATCH))

    def _next_batch(self, size: int) -> Iterator[list[str]]:
        batch: list[str] = []
        while len(batch) < size and (checksum := self._planner.next_content()) is not None:
            if not self._is_here(checksum):
                batch.append(str(checksum))
        if batch:
            self._handed_out += len(batch)
            yield batch

    @property
    def bytes_received(self) -> int:
        """How many bytes came over the network."""
        received = self._fetcher.stats.bytes_received
        if self._workers is not None:
            received += self._workers.counts.total()[1]
        return received

    @property
    def _files_fetched(self) -> int:
        if self._workers is not None:
            # What of batches is done, too.
            return max(self._workers.counts.total()[0], self.content_fetched)
        return self.content_fetched

    @property
    def _done(self) -> int:
        fetched = self.metadata_fetched + self._files_fetched
        return fetched + self.metadata_imported + self.content_imported

    def _report(self) -> None:
        waiting = self._planner.content_waiting + self._fetcher.in_flight
        if self._workers is not None:
            waiting += max(self._handed_out - self._files_fetched, 0)
        event = Advanced(TASK, self._done, self._done + waiting, self.bytes_received)
        if event != self._reported:
            self._reported = event
            self._progress.send(event)

    # -- asking

    def _ask_for_metadata(self) -> None:
        """Metadata comes first, so that the rest of the tree comes into sight."""
        while self._fetcher.room > 0 and (wanted := self._planner.next_metadata()) is not None:
            self._ask_metadata(wanted)

    def _ask_for_content(self, sink: ContentSink) -> None:
        """Keep the network busy."""
        from ostrya.pull.content_workers import content_request

        while self._fetcher.room > 0 and not sink.is_full:
            checksum = self._planner.next_content()
            if checksum is None:
                return
            if not self._is_here(checksum):
                name = ObjectName(checksum, ObjectType.FILE)
                self._fetcher.submit((None, name), content_request(self._places, checksum))

    def _is_here(self, checksum: Checksum) -> bool:
        name = ObjectName(checksum, ObjectType.FILE)
        return has_object(self._repo, name) or self._import(name)

    def _ask_metadata(self, wanted: Wanted) -> None:
        name = wanted.name
        here = has_object(self._repo, name)
        if not here and name.type != ObjectType.COMMIT:
            here = self._import(name)
        if here and name.type != ObjectType.COMMIT:
            self._go_on(wanted, None)
            return
        if name.type == ObjectType.COMMIT:
            # Signatures may have come since, so it is asked for in any case.
            name = ObjectName(name.checksum, ObjectType.COMMIT_META)
        self._submit_metadata(wanted, name)

    def _submit_metadata(self, wanted: Wanted, name: ObjectName) -> None:
        path = f"objects/{loose_path(name, archive=True)}"
        if name.type == ObjectType.COMMIT_META:
            # What vouches for the content is not asked of those who only serve it.
            urls = self._places.metadata_urls(path)
        else:
            urls = self._places.content_urls(path)
        of_commit = name.type in {ObjectType.COMMIT, ObjectType.COMMIT_META}
        limit = MAX_COMMIT_BYTES if of_commit else MAX_METADATA_BYTES
        self._fetcher.submit((wanted, name), Request(urls, limit))

    def _import(self, name: ObjectName) -> bool:
        """Take an object from a repository on this machine; False if none has it."""
        for cache in self._caches:
            if not has_object(cache.source, name):
                continue
            if name.type == ObjectType.FILE:
                cache.import_content(name.checksum)
                self.content_imported += 1
            else:
                cache.import_metadata(name)
                self.metadata_imported += 1
            return True
        return False

    # -- taking

    def _take(self, key: object, answer: Response | FetchError, sink: ContentSink | None) -> None:
        wanted, name = cast("tuple[Wanted, ObjectName]", key)
        if isinstance(answer, FetchError):
            raise answer
        if sink is not None and name.type == ObjectType.FILE:
            if answer.is_absent:
                raise ObjectNotServed(name, answer)
            self.content_fetched += 1
            sink.put(name.checksum, answer)
            return
        try:
            self._take_answer(wanted, name, answer)
        except (FormatError, IntegrityError, SignatureError) as exc:
            exc.put_first(f"While fetching {answer.url}")
            raise

    def _take_answer(self, wanted: Wanted, name: ObjectName, answer: Response) -> None:
        if name.type == ObjectType.COMMIT_META:
            self.metadata_fetched += 1
            self._take_detached(wanted, None if answer.is_absent else answer.read())
        elif not answer.is_absent:
            if self._is_local:
                self.metadata_imported += 1
            else:
                self.metadata_fetched += 1
            self._take_metadata(wanted, name, answer.read())
        elif not wanted.is_parent:
            raise ObjectNotServed(name, answer)
        # Else a parent is not there: history that was cut off ends here.

    def _take_detached(self, wanted: Wanted, data: bytes | None) -> None:
        checksum = wanted.name.checksum
        try:
            commit = load_commit(self._repo, checksum)
        except ObjectNotFound:
            self._detached[checksum] = data
            self._submit_metadata(wanted, wanted.name)
            return
        self._commits.take_present(wanted, commit, data)
        self._go_on(wanted, commit)

    def _take_metadata(self, wanted: Wanted, name: ObjectName, data: bytes) -> None:
        actual = checksum_of(data)
        if actual != name.checksum:
            raise ChecksumMismatch(name, actual)
        if name.type == ObjectType.COMMIT:
            detached = self._detached.pop(name.checksum)
            self._go_on(wanted, self._commits.take(wanted, data, detached))
            return
        try:
            decoded = _DECODERS[name.type](data)
        except FormatError as exc:
            exc.put_first(str(name))
            raise
        self._tx.writer.store_metadata(name, data)
        if isinstance(decoded, DirTree):
            self._planner.dirtree_here(wanted, decoded)

    def _go_on(self, wanted: Wanted, commit: Commit | None) -> None:
        """Let the planner look into an object that is here."""
        checksum = wanted.name.checksum
        if commit is not None:
            complete = not is_partial(self._repo, checksum)
            if not complete:
                self.walked.append(checksum)
            self._planner.commit_here(wanted, commit, complete=complete)
        elif wanted.name.type == ObjectType.DIR_TREE:
            self._planner.dirtree_here(wanted, load_dirtree(self._repo, checksum))
