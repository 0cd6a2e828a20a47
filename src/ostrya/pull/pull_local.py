# SPDX-License-Identifier: Apache-2.0
"""Pulling from a repository on this machine: linked where the modes allow it, else converted."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from ostrya.errors import FormatError, SignatureError
from ostrya.formats.checksum import Checksum, checksum_of, is_checksum
from ostrya.formats.commitmeta import decode_commitmeta, signatures_in
from ostrya.formats.object_name import ObjectName, ObjectNameSet, ObjectType
from ostrya.formats.refs import check_ref_name
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, ProgressSink, Started, Unit
from ostrya.repo.bindings import check_bindings
from ostrya.repo.detached import read_detached_bytes, write_detached_bytes
from ostrya.repo.errors import BindingMismatch, ChecksumMismatch, ObjectInvalid, ObjectNotFound
from ostrya.repo.importer import Importer
from ostrya.repo.partial import clear_partial, is_partial, mark_partial
from ostrya.repo.reader import has_object, load_commit, load_dirtree
from ostrya.repo.refs import list_refs, resolve_ref
from ostrya.repo.transaction import Transaction
from ostrya.workers import map_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from ostrya._linux.durability import EarlySync
    from ostrya.formats.commit import Commit
    from ostrya.repo.repository import Repository
    from ostrya.repo.writer import ObjectWriter
    from ostrya.sign.engine import Verifier

_BATCH_OBJECTS = 96
# As often, the disk is told to begin.
_SYNC_OBJECTS = 3000
_ContentResult = tuple[int, int, tuple[int, ...]]


class PullLocalOptions(NamedTuple):
    """How to pull.

    Attributes:
        remote: Write refs as those of this remote.
        depth: How many generations of parents to pull too; -1 for all that are there.
        commits_only: Pull commits, and nothing they hold.
        untrusted: Hash objects that could be linked unseen.
        check_user_only_modes: Refuse files that mode bare-user-only cannot hold.
        verify_bindings: Refuse commits that say they belong under other refs.
        commit_verifier: Must vouch for every commit.
        summary_verifier: Must vouch for the source's summary, which then says where refs point to.
        keep_interrupted: Keep what is here by then if Ctrl-C ends it, for the next time.
    """

    remote: str | None = None
    depth: int = 0
    commits_only: bool = False
    untrusted: bool = False
    check_user_only_modes: bool = False
    verify_bindings: bool = True
    commit_verifier: Verifier | None = None
    summary_verifier: Verifier | None = None
    keep_interrupted: bool = False


class PullLocalResult(NamedTuple):
    """What was pulled.

    Attributes:
        metadata_imported: Commits, directories and their metadata that were not here before.
        content_imported: Files and links that were not here before.
        content_bytes_written: Bytes of those that had to be written.
        refs: The refs that were set, and the commits they point to.
    """

    metadata_imported: int
    content_imported: int
    content_bytes_written: int
    refs: dict[str, Checksum]


def pull_local(
    repo: Repository,
    source: Repository,
    refs: Iterable[str] | None = None,
    options: PullLocalOptions | None = None,
    *,
    jobs: int | None = None,
    progress: ProgressSink = NULL_PROGRESS,
) -> PullLocalResult:
    """Pull refs or commits from another repository on this machine.

    Args:
        repo: Where to.
        source: Where from.
        refs: Refs and commit checksums; all refs of ``source`` if None.
        options: How to.
        jobs: How many workers at most; one per processor if None.
        progress: Told about objects.

    Raises:
        RefNotFound: The source has no such ref.
        RefNameError: All refs are asked for, and some are those of a remote.
        ObjectNotFound: The source lacks an object.
        ChecksumMismatch: An object of the source is damaged.
        BindingMismatch: A commit belongs under another ref.
        SignatureError: Nobody vouches for a commit or the summary.
        RepoModeError: This repository cannot hold a file.
    """
    options = options or PullLocalOptions()
    wanted = list(list_refs(source) if refs is None else refs)
    tips = _resolve_all(source, wanted, options.summary_verifier)
    pull = _Pull(repo, source, options, progress)
    with Transaction(repo, keep_interrupted=options.keep_interrupted) as tx:
        pull.run(tx, tips, jobs)
        named = {name: checksum for name, checksum in tips if not is_checksum(name)}
        for name, checksum in named.items():
            tx.set_ref(options.remote, name, checksum)
        stats = tx.commit()
    if not options.commits_only:
        for checksum in pull.commits:
            clear_partial(repo, checksum)
    return PullLocalResult(
        pull.metadata_imported, pull.content_imported, stats.content_bytes_written, named
    )


def _resolve_all(
    source: Repository, names: list[str], verifier: Verifier | None
) -> list[tuple[str, Checksum]]:
    if verifier is None:
        return [(name, _resolve(source, name)) for name in names]
    from ostrya.pull.local_summary import resolve_in_summary

    return resolve_in_summary(source, names, verifier)


def _resolve(source: Repository, name: str) -> Checksum:
    if is_checksum(name):
        return Checksum(name)
    check_ref_name(name)
    found = resolve_ref(source, None, name, search_remotes=False)
    # resolve_ref raises unless it may return None.
    return Checksum(str(found))


class _Pull:
    def __init__(
        self,
        repo: Repository,
        source: Repository,
        options: PullLocalOptions,
        progress: ProgressSink,
    ) -> None:
        self._repo = repo
        self._source = source
        self._options = options
        self._progress = progress
        self._seen = ObjectNameSet()
        self.commits: list[Checksum] = []
        self.metadata_imported = 0
        self.content_imported = 0

    def run(self, tx: Transaction, tips: list[tuple[str, Checksum]], jobs: int | None) -> None:
        progress = self._progress
        importer = self._importer(tx, tx.writer)
        progress.send(Started("importing", None, Unit.ITEMS))
        done = 0
        contents = self._contents(importer, tips)
        factory = self._worker_factory(tx)
        with self._early_sync() as early:
            for count, imported, counts in map_batches(factory, _batches(contents), jobs=jobs):
                self.content_imported += imported
                tx.counts.add(counts)
                # Every so many batches; by now all workers are forked.
                if early is not None and done // _SYNC_OBJECTS != (done + count) // _SYNC_OBJECTS:
                    early.begin()
                done += count
                progress.send(Advanced("importing", done))
        self.metadata_imported = importer.imported
        progress.send(Finished("importing", done))

    def _early_sync(self) -> AbstractContextManager[EarlySync | None]:
        """Sync now and then, if all is going to be synced in the end."""
        config = self._repo.config
        if not config.fsync or config.per_object_fsync:
            return nullcontext()
        from ostrya._linux.durability import EarlySync

        return EarlySync(self._repo.dir_fd)

    def _worker_factory(
        self, tx: Transaction
    ) -> Callable[[], Callable[[list[str]], _ContentResult]]:
        def make() -> Callable[[list[str]], _ContentResult]:
            writer = tx.new_writer()
            importer = self._importer(tx, writer)

            def work(batch: list[str]) -> _ContentResult:
                imported = importer.imported
                for checksum in batch:
                    importer.import_content(Checksum(checksum))
                return len(batch), importer.imported - imported, writer.counts.take()

            return work

        return make

    def _importer(self, tx: Transaction, writer: ObjectWriter) -> Importer:
        return Importer(
            tx.repo,
            self._source,
            writer,
            trusted=not self._options.untrusted,
            check_user_only_modes=self._options.check_user_only_modes,
        )

    def _contents(self, importer: Importer, tips: list[tuple[str, Checksum]]) -> Iterator[Checksum]:
        """Import commits and directories, and yield the files they hold."""
        refs_by_tip: dict[Checksum, list[str]] = {}
        for name, checksum in tips:
            refs = refs_by_tip.setdefault(checksum, [])
            if not is_checksum(name):
                refs.append(name)
        for checksum, refs in refs_by_tip.items():
            for commit in self._import_commits(importer, checksum, refs):
                if not self._options.commits_only:
                    yield from self._walk(importer, commit)

    def _import_commits(
        self, importer: Importer, tip: Checksum, refs: list[str]
    ) -> Iterator[Commit]:
        """Import a commit and its parents; yield those whose trees are not known to be here."""
        depth = self._options.depth
        checksum: Checksum | None = tip
        # Damaged commits may name each other as parents.
        seen: set[Checksum] = set()
        while checksum is not None and checksum not in seen:
            seen.add(checksum)
            name = ObjectName(checksum, ObjectType.COMMIT)
            present = has_object(self._repo, name)
            try:
                commit = self._load_commit(checksum)
            except ObjectNotFound:
                if checksum == tip and not present:
                    raise
                # History that was cut off ends here.
                return
            if self._options.verify_bindings and checksum == tip:
                _check_bound_to_one(commit, checksum, self._source.config.collection_id, refs)
            if name not in self._seen:
                detached = self._read_detached(checksum)
                self._verify(checksum, commit, detached)
                if not present:
                    mark_partial(self._repo, checksum)
                if detached is not None:
                    write_detached_bytes(self._repo, checksum, detached)
                self._import_once(importer, name)
                self.commits.append(checksum)
                if is_partial(self._repo, checksum):
                    yield commit
            if depth == 0:
                return
            depth -= 1
            checksum = commit.parent

    def _load_commit(self, checksum: Checksum) -> Commit:
        """Return a commit of the source; untrusted, only if it is what its name says.

        It is imported by its name, and walked and judged by what is read here: of another user's
        repository these could be two.
        """
        commit = load_commit(self._source, checksum)
        if self._options.untrusted or self._options.commit_verifier is not None:
            # Only the one normal form is decoded, so these are the bytes that were read.
            actual = checksum_of(commit.encode())
            if actual != checksum:
                raise ChecksumMismatch(ObjectName(checksum, ObjectType.COMMIT), actual)
        return commit

    def _read_detached(self, checksum: Checksum) -> bytes | None:
        data = read_detached_bytes(self._source, checksum)
        if data is not None:
            try:
                decode_commitmeta(data)
            except FormatError as exc:
                name = ObjectName(checksum, ObjectType.COMMIT_META)
                raise ObjectInvalid(name, exc.message) from exc
        return data

    def _verify(self, checksum: Checksum, commit: Commit, detached: bytes | None) -> None:
        verifier = self._options.commit_verifier
        if verifier is None:
            return
        metadata = None if detached is None else decode_commitmeta(detached)
        try:
            verifier.verify(commit.encode(), signatures_in(metadata, verifier.metadata_key) or ())
        except SignatureError as exc:
            exc.put_first(f"Commit {checksum}")
            raise

    def _walk(self, importer: Importer, commit: Commit) -> Iterator[Checksum]:
        self._import_once(importer, ObjectName(commit.root_metadata, ObjectType.DIR_META))
        stack = [commit.root_contents]
        while stack:
            name = ObjectName(stack.pop(), ObjectType.DIR_TREE)
            if not self._import_once(importer, name):
                continue
            tree = load_dirtree(self._repo, name.checksum)
            for _, content in tree.files:
                if self._seen.add(ObjectName(content, ObjectType.FILE)):
                    yield content
            for _, contents, metadata in tree.dirs:
                self._import_once(importer, ObjectName(metadata, ObjectType.DIR_META))
                stack.append(contents)

    def _import_once(self, importer: Importer, name: ObjectName) -> bool:
        if not self._seen.add(name):
            return False
        importer.import_metadata(name)
        return True


def _check_bound_to_one(
    commit: Commit, checksum: Checksum, collection_id: str | None, refs: list[str]
) -> None:
    """Refuse a commit that belongs under none of the refs it was asked for by.

    Of an alias and the ref it stands for, a commit is bound to one only. All commits of a
    repository with a collection id belong to that collection.
    """
    problem: BindingMismatch | None = None
    for ref in refs or (None,):
        try:
            check_bindings(commit.metadata, checksum, collection_id, ref)
        except BindingMismatch as exc:
            problem = problem or exc
        else:
            return
    if problem is not None:
        raise problem


def _batches(checksums: Iterator[Checksum]) -> Iterator[list[str]]:
    batch: list[str] = []
    for checksum in checksums:
        batch.append(str(checksum))
        if len(batch) == _BATCH_OBJECTS:
            yield batch
            batch = []
    if batch:
        yield batch
