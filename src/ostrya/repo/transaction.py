# SPDX-License-Identifier: Apache-2.0
"""Transactions: objects and refs become visible together, or not at all.

The order that makes this safe against power loss, for one ``Transaction.commit``:

1. objects are complete in the staging directory;
2. ``syncfs``: their data is on the disk;
3. they are renamed into ``objects``, and those directories are synced;
4. refs are replaced one by one, each by fsync and rename;
5. the summary follows, where that is configured.

A crash before 3 leaves a staging directory that nobody reads; a crash between 3 and 4 leaves
objects that no ref reaches.
"""

from __future__ import annotations

from errno import EDQUOT, ENOSPC
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import list_names
from ostrya._linux.naming import Below, has_name, name_below
from ostrya._linux.signals import signals_deferred
from ostrya.formats.checksum import check_checksum
from ostrya.formats.refs import check_collection_id, check_ref_name, check_remote_name
from ostrya.named_tuple import NamedTuple
from ostrya.repo import staging
from ostrya.repo.errors import LowSpace, TransactionError
from ostrya.repo.modes import RepoMode
from ostrya.repo.publish import object_prefixes, publish_staged, sync_object_dirs
from ostrya.repo.repository import require_writable
from ostrya.repo.write_counts import WriteCounts

if TYPE_CHECKING:
    from typing import Self

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.commit import SizeEntry
    from ostrya.formats.refs import CollectionRef
    from ostrya.repo.repository import Repository
    from ostrya.repo.writer import ObjectWriter


class TransactionStats(NamedTuple):
    """What a transaction wrote.

    Attributes:
        metadata_total: Metadata objects it was given.
        metadata_written: Those that were new.
        content_total: Content objects it was given.
        content_written: Those that were new.
        content_bytes_written: Content bytes of the new ones, before compression.
        devino_cache_hits: Files not read, because they are hard links to known objects.
    """

    metadata_total: int
    metadata_written: int
    content_total: int
    content_written: int
    content_bytes_written: int
    devino_cache_hits: int


class Transaction:
    """A set of changes to a repository under way.

    Used as a context manager: ``commit`` makes the changes true; leaving the block without it
    drops them. Objects written before an error are kept for the next transaction of this boot,
    except when space ran out or, unless told otherwise, after Ctrl-C.

    Attributes:
        repo: The repository.
        counts: What was written so far, in this process and by workers.
    """

    __slots__ = (
        "_collection_refs",
        "_keep_interrupted",
        "_refs",
        "_staging",
        "_writer",
        "_writers",
        "counts",
        "repo",
        "sizes",
    )

    def __init__(self, repo: Repository, *, keep_interrupted: bool = False) -> None:
        """Prepare a transaction.

        Args:
            repo: What to change.
            keep_interrupted: Whether objects are kept after Ctrl-C too: those that are hard to get.
        """
        self.repo = repo
        self._keep_interrupted = keep_interrupted
        self.counts = WriteCounts()
        self.sizes: dict[str, SizeEntry] | None = None
        self._staging: staging.StagingDir | None = None
        self._writer: ObjectWriter | None = None
        self._writers: list[ObjectWriter] = []
        self._refs: dict[tuple[str | None, str], Checksum | None] = {}
        self._collection_refs: dict[CollectionRef, Checksum | None] = {}

    def __enter__(self) -> Self:
        if self.repo.staging_fd != -1:
            raise TransactionError(
                "Failed to prepare transaction, another transaction is in progress"
            )
        require_writable(self.repo)
        with Below(self.repo.path):
            self.repo.lock.push(exclusive=False)
        try:
            with signals_deferred():
                self._staging = staging.allocate(self.repo)
                self.repo.staging_fd = self._staging.fd
        except BaseException:
            self._leave(delete=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if isinstance(error, OSError) and not has_name(error):
            # What nobody could name: of the repository at least.
            name_below(error, self.repo.path)
        if self._staging is not None:
            self._abort(error)

    # -- objects

    @property
    def destination_fd(self) -> int:
        """Where new objects are named: staging, or ``objects`` when nothing waits for a sync."""
        config = self.repo.config
        if config.per_object_fsync or not config.fsync:
            return self.repo.objects_fd
        return self.repo.staging_fd

    def new_writer(self) -> ObjectWriter:
        """Make a writer of objects, for a worker to use; hand its counts to ``gather``."""
        config = self.repo.config
        # Not every transaction writes objects.
        from ostrya.repo.writer import ObjectWriter

        writer = ObjectWriter(
            self.repo,
            self.destination_fd,
            sync_each=config.fsync and config.per_object_fsync,
            with_sizes=self.sizes is not None,
            resumes=self._staging is not None and self._staging.taken_up,
        )
        self._writers.append(writer)
        return writer

    @property
    def writer(self) -> ObjectWriter:
        """The writer of this process."""
        if self._writer is None:
            self._writer = self.new_writer()
            self._writer.counts = self.counts
            self._writer.sizes = self.sizes
        return self._writer

    def want_sizes(self) -> None:
        """Gather a size entry of every object written from now on; only archives have them."""
        if self.repo.mode != RepoMode.ARCHIVE:
            return
        self.sizes = {}
        if self._writer is not None:
            self._writer.sizes = self.sizes

    # -- refs

    def set_ref(self, remote: str | None, ref: str, checksum: Checksum | None) -> None:
        """Let a ref point to a commit, or delete it, when the transaction is committed.

        Raises:
            RefNameError: A name is not valid.
            FormatError: ``checksum`` is none.
        """
        check_ref_name(ref)
        if remote is not None:
            check_remote_name(remote)
        if checksum is not None:
            check_checksum(checksum)
        self._refs[remote, ref] = checksum

    def set_collection_ref(self, ref: CollectionRef, checksum: Checksum | None) -> None:
        """Let a collection's ref point to a commit, or delete it.

        Raises:
            RefNameError: A name is not valid.
            FormatError: ``checksum`` is none.
        """
        check_collection_id(ref.collection_id)
        check_ref_name(ref.ref)
        if checksum is not None:
            check_checksum(checksum)
        self._collection_refs[ref] = checksum

    # -- end

    def commit(self) -> TransactionStats:
        """Make all changes true, and durable if the repository is configured so.

        Raises:
            TransactionError: The transaction is over already.
            RefConflict: A ref's name is taken by a directory of refs.
        """
        if self._staging is None:
            raise TransactionError("Failed to commit transaction, no transaction in progress")
        repo = self.repo
        if repo.runtime.fail_before_commit:
            raise TransactionError("OSTREE_REPO_TEST_ERROR_PRE_COMMIT specified")
        with Below(f"{repo.path}/objects"):
            self._publish(self._staging.fd)
        try:
            self._write_refs()
        finally:
            self._leave(delete=True)
        return TransactionStats(*self.counts.as_tuple())

    def _publish(self, staging_fd: int) -> None:
        """Name the objects where they belong, durably if the repository is configured so."""
        repo = self.repo
        if self._is_empty(staging_fd):
            return
        if repo.config.fsync:
            from ostrya._linux.durability import sync_filesystem

            sync_filesystem(repo.dir_fd)
        touched = publish_staged(repo, staging_fd)
        if repo.config.fsync:
            if repo.config.per_object_fsync:
                # Objects went into place one by one, so any directory may have changed.
                touched = object_prefixes(repo.objects_fd)
            sync_object_dirs(repo, touched)

    def _is_empty(self, staging_fd: int) -> bool:
        """Say whether nothing was done, so that there is nothing to wait for."""
        # One by one, objects do not come this way.
        changes = self._refs or self._collection_refs or self.repo.config.per_object_fsync
        return not changes and not list_names(staging_fd)

    def _write_refs(self) -> None:
        if not self._refs and not self._collection_refs:
            return
        from ostrya.repo import ref_writer

        for (remote, ref), checksum in self._refs.items():
            ref_writer.store_ref(self.repo, remote, ref, checksum)
        for collection_ref, checksum in self._collection_refs.items():
            ref_writer.store_collection_ref(self.repo, collection_ref, checksum)
        ref_writer.refresh_summary_if_configured(self.repo)

    def _abort(self, error: BaseException | None) -> None:
        out_of_space = isinstance(error, LowSpace) or (
            isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT)
        )
        interrupted = error is not None and not isinstance(error, Exception)
        self._leave(delete=out_of_space or (interrupted and not self._keep_interrupted))

    def _leave(self, *, delete: bool) -> None:
        """Let go of the staging directory, of the lock, and of all writers."""
        taken, self._staging = self._staging, None
        self.repo.staging_fd = -1
        for writer in self._writers:
            writer.destination.close()
        self._writers.clear()
        self._writer = None
        try:
            if taken is not None:
                staging.release(self.repo, taken, delete=delete)
            staging.clean_tmp(self.repo)
        finally:
            self.repo.lock.pop(exclusive=False)
