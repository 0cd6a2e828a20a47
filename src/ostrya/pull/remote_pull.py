# SPDX-License-Identifier: Apache-2.0
"""A pull from a remote, from its settings to its refs here."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from ostrya.errors import FormatError
from ostrya.formats.checksum import Checksum, is_checksum
from ostrya.formats.refs import CollectionRef
from ostrya.progress import NULL_PROGRESS, ProgressSink
from ostrya.pull.commits import CommitRules, CommitWriter
from ostrya.pull.delta_found import DeltaCounts, DeltaTarget
from ostrya.pull.delta_offers import DeltaOffers, has_indexes
from ostrya.pull.delta_pull import DeltaPull
from ostrya.pull.delta_stage import DeltaStage
from ostrya.pull.engine import Engine
from ostrya.pull.errors import NoDelta, RemoteRefusal
from ostrya.pull.options import Plan, PullOptions, RefRequest
from ostrya.pull.planner import Planner
from ostrya.pull.remote_refs import Resolved, all_refs, resolve, set_refs, split_requests
from ostrya.pull.remote_summary import RemoteSummary, SummaryCache, fetch_summary, store_summary
from ostrya.pull.result import PullResult
from ostrya.repo.modes import RepoMode
from ostrya.repo.partial import clear_partial
from ostrya.repo.refs import list_collection_refs, require_rev, resolve_ref, resolve_rev
from ostrya.repo.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostrya.fetch.fetcher import Fetcher
    from ostrya.pull.content import ContentSink
    from ostrya.pull.content_workers import ContentWorkers
    from ostrya.pull.judge import Judge
    from ostrya.pull.places import RemotePlaces
    from ostrya.pull.ways import WayFinder
    from ostrya.repo.importer import Importer
    from ostrya.repo.remote_settings import RemoteSettings
    from ostrya.repo.repository import Repository
    from ostrya.repo.transaction import TransactionStats


class RemotePull:
    """One pull from one remote."""

    def __init__(  # noqa: PLR0913  # its parts, by keyword
        self,
        repo: Repository,
        settings: RemoteSettings,
        *,
        places: RemotePlaces,
        fetcher: Fetcher,
        open_fetcher: Callable[[int], Fetcher] | None = None,
        judge: Judge,
        source: Repository | None = None,
        caches: Sequence[Repository] = (),
        options: PullOptions,
        jobs: int | None = None,
        progress: ProgressSink = NULL_PROGRESS,
    ) -> None:
        """Prepare to pull.

        Args:
            repo: Where to.
            settings: The remote's.
            places: Where its files are.
            fetcher: Gets them.
            open_fetcher: Makes another one, for a worker process that shares the link with so
                many; None where ``fetcher`` is the only one.
            judge: Verifies them.
            source: The remote itself, where it is on this machine.
            caches: Repositories on this machine to take objects from first.
            options: How to.
            jobs: How many workers for files; one per processor if None.
            progress: Told about objects.
        """
        self._repo = repo
        self._settings = settings
        self._places = places
        self._fetcher = fetcher
        self._open_fetcher = open_fetcher
        self._judge = judge
        self._source = source
        self._caches = caches
        self._options = options
        self._jobs = jobs
        self._progress = progress
        # Whether the remote's configuration promises delta indexes, where that was looked at.
        self._indexed = False
        self._counts = DeltaCounts()

    def run(self, requests: Sequence[RefRequest] | None) -> PullResult:
        """Pull refs and commits.

        Args:
            requests: What; None for what the remote's settings name, or all refs of a mirror.

        Raises:
            RemoteRefusal: The remote has no such ref, or its settings forbid it.
            FetchError: Something could not be had.
            IntegrityError: Something is not what it should be.
        """
        options = self._options
        self._require_usable_deltas()
        refs, commits, summary, mirrored = self._find(requests)
        targets = self._targets(refs, commits)
        deltas = self._deltas(summary)
        if options.plan is Plan.SHOW:
            return self._planned()._replace(plan=None, ways=deltas.ways(targets))
        with Transaction(self._repo, keep_interrupted=True) as tx:
            taker = CommitWriter(tx, self._judge, self._rules(refs, commits))
            whole = deltas.take(tx, targets, taker)
            if options.dry_run:
                return self._planned()
            planner = Planner(
                commits_only=options.commits_only,
                trees_only=options.trees_only,
                subpaths=options.subpaths,
            )
            for target in targets:
                if target.commit not in whole:
                    planner.want_commit(target.commit, options.depth)
            engine = self._fill(tx, planner, taker)
            name = self._options.remote_refs_as or self._remote
            set_refs(tx, refs, None if options.mirror else name)
            stats = tx.commit()
        if mirrored is not None:
            # After all that it lists, and in place of one that the refs' change has made.
            store_summary(self._repo, mirrored)
        if not (options.commits_only or options.trees_only or options.subpaths):
            for checksum in engine.walked:
                clear_partial(self._repo, checksum)
        return self._result(engine, refs, stats)

    # -- deltas

    @property
    def _uses_deltas(self) -> bool:
        """Whether deltas are looked for; for a part of a commit, only if they have to be."""
        options = self._options
        return (
            options.use_deltas
            and self._source is None
            and self._repo.mode != RepoMode.ARCHIVE
            and not (options.commits_only or options.trees_only)
            and (not options.subpaths or options.require_deltas)
        )

    def _require_usable_deltas(self) -> None:
        if self._options.require_deltas and self._repo.mode == RepoMode.ARCHIVE:
            raise RemoteRefusal("Can't use static deltas in an archive repo")

    def _targets(self, refs: list[Resolved], commits: list[Checksum]) -> list[DeltaTarget]:
        """Return each commit once; if a ref was asked for that points to it, with that."""
        found = {checksum: DeltaTarget(checksum) for checksum in commits}
        for ref in refs:
            current = None
            if self._uses_deltas:
                remote = self._remote
                name = ref.ref if remote is None else f"{remote}:{ref.ref}"
                current = resolve_rev(self._repo, name, allow_noent=True)
            found[ref.commit] = DeltaTarget(ref.commit, ref.ref, current)
        return list(found.values())

    def _deltas(self, summary: RemoteSummary | None) -> DeltaStage:
        options = self._options
        offers = DeltaOffers(
            self._fetcher,
            self._places,
            None if summary is None else summary.summary,
            indexed=self._indexed,
        )
        if self._uses_deltas and options.require_deltas and not offers.are_listed:
            raise NoDelta(
                "Fetch configured to require static deltas, but no summary deltas or delta index "
                "found"
            )
        deltas = DeltaPull(
            self._repo,
            fetcher=self._fetcher,
            places=self._places,
            offers=offers,
            options=options,
            digests_required=self._judge.wants_summary,
            progress=self._progress,
            jobs=self._jobs,
        )
        self._counts = deltas.counts

        def make_finder() -> WayFinder:
            from ostrya.pull.ways import WayFinder

            return WayFinder(
                self._repo,
                fetcher=self._fetcher,
                places=self._places,
                deltas=deltas,
                offers=offers if self._uses_deltas else None,
                source=self._source,
            )

        return DeltaStage(deltas, make_finder, options, usable=self._uses_deltas)

    # -- refs

    def _find(
        self, requests: Sequence[RefRequest] | None
    ) -> tuple[list[Resolved], list[Checksum], RemoteSummary | None, RemoteSummary | None]:
        """Return refs and commits to pull, the summary, and the one that the mirror is to have."""
        wanted = requests
        if wanted is None:
            wanted = [RefRequest(name) for name in self._settings.texts("branches")]
        takes_all = requests is None and self._options.mirror
        if not wanted and not takes_all:
            raise RemoteRefusal(f"No configured branches for remote {self._settings.name}")
        refs, commits = split_requests(wanted)
        summary = None
        needs_summary = takes_all or any(request.commit is None for request in refs)
        if not needs_summary and self._uses_deltas:
            self._indexed = has_indexes(self._fetcher, self._places)
            needs_summary = not self._indexed
        if needs_summary:
            with closing(self._open_cache()) as cache:
                summary = fetch_summary(self._fetcher, self._places, self._judge, cache)
        found = self._all_refs(summary) if takes_all and (summary or not wanted) else []
        known = None if summary is None else summary.summary
        found += [resolve(request, known, self._fetcher, self._places) for request in refs]
        # With branches of our own choice it is no copy of the remote.
        mirrored = summary if takes_all and not wanted else None
        return list(dict.fromkeys(found)), commits, summary, mirrored

    def _all_refs(self, summary: RemoteSummary | None) -> list[Resolved]:
        if summary is None:
            raise RemoteRefusal(
                "Fetching all refs was requested in mirror mode, but remote repository does "
                "not have a summary"
            )
        try:
            return all_refs(summary.summary)
        except FormatError as exc:
            exc.put_first(f"While fetching {summary.url}")
            raise

    def _open_cache(self) -> SummaryCache:
        return SummaryCache(self._repo, self._settings.name, self._options.cache_dir)

    def _rules(self, refs: list[Resolved], commits: list[Checksum]) -> CommitRules:
        options = self._options
        if options.timestamp_check and commits:
            raise RemoteRefusal(
                "--timestamp-check looks at what a ref is here, and "
                f"{commits[0]} is asked for without one",
                hint="name the ref, as in REF@CHECKSUM, or use --timestamp-check-from-rev",
            )
        by_commit: dict[Checksum, list[str]] = {}
        newer_than: dict[Checksum, list[Checksum]] = {}
        floor = options.timestamp_check_from
        if floor is not None:
            oldest = Checksum(floor) if is_checksum(floor) else self._local(floor)
            newer_than = {one: [oldest] for one in (*commits, *(ref.commit for ref in refs))}
        for ref in refs:
            by_commit.setdefault(ref.commit, []).append(ref.ref)
            if options.timestamp_check:
                newer_than.setdefault(ref.commit, []).extend(self._current(ref))
        return CommitRules(
            by_commit,
            self._collection_id,
            verify_bindings=options.verify_bindings,
            newer_than=newer_than,
        )

    def _current(self, resolved: Resolved) -> list[Checksum]:
        """Return what a ref is here: the one that is to be written, and the one its name means."""
        repo, ref = self._repo, resolved.ref
        found = [resolve_rev(repo, ref, allow_noent=True)]
        if not self._options.mirror:
            remote = self._options.remote_refs_as or self._remote
            found.append(resolve_ref(repo, remote, ref, allow_noent=True))
        elif resolved.collection_id is not None:
            owned = CollectionRef(resolved.collection_id, ref)
            mirrored = list_collection_refs(repo, owned.collection_id, include_remotes=False)
            found.append(mirrored.get(owned))
        return list(dict.fromkeys(checksum for checksum in found if checksum is not None))

    @property
    def _remote(self) -> str | None:
        """The remote that refs are written as those of; None for local ones."""
        return None if self._settings.is_address else self._settings.name

    @property
    def _collection_id(self) -> str | None:
        """The collection that all commits of the remote belong to."""
        if self._options.collection_id is not None:
            return self._options.collection_id
        if self._source is not None:
            return self._source.config.collection_id
        return self._settings.text("collection-id")

    def _local(self, rev: str) -> Checksum:
        return require_rev(self._repo, rev)

    # -- objects

    def _fill(self, tx: Transaction, planner: Planner, taker: CommitWriter) -> Engine:
        with ExitStack() as stack:
            engine = Engine(
                tx=tx,
                planner=planner,
                fetcher=self._fetcher,
                open_content=lambda: self._open_content(tx, stack),
                places=self._places,
                commits=taker,
                caches=self._importers(tx),
                is_local=self._source is not None,
                progress=self._progress,
            )
            engine.run()
        return engine

    def _importers(self, tx: Transaction) -> tuple[Importer, ...]:
        near = self._caches if self._source is None else [self._source]
        if not near:
            return ()
        from ostrya.repo.importer import Importer

        return tuple(
            Importer(
                self._repo,
                source,
                tx.writer,
                # A cache is whoever's; only the remote itself is as trusted as its settings say.
                trusted=source is self._source and not self._options.untrusted,
                check_user_only_modes=self._options.check_user_only_modes,
            )
            for source in near
        )

    def _open_content(self, tx: Transaction, stack: ExitStack) -> ContentSink | ContentWorkers:
        """Return who stores files: processes with fetchers of their own, else threads."""
        from ostrya.pull.content import ContentSink
        from ostrya.pull.content_workers import ContentWorkers
        from ostrya.workers import default_jobs

        options = self._options
        trusted = options.mirror and options.trusted_http and not options.untrusted
        jobs = default_jobs() if self._jobs is None else self._jobs
        open_fetcher = self._open_fetcher
        if open_fetcher is not None and jobs > 1:
            workers = ContentWorkers(
                tx,
                open_fetcher,
                self._places,
                jobs=jobs,
                check_user_only_modes=options.check_user_only_modes,
                trusted=trusted,
            )
            return stack.enter_context(closing(workers))
        return stack.enter_context(
            ContentSink(
                tx,
                jobs=jobs,
                check_user_only_modes=options.check_user_only_modes,
                trusted=trusted,
            )
        )

    def _result(
        self,
        engine: Engine,
        refs: list[Resolved],
        stats: TransactionStats,
    ) -> PullResult:
        return PullResult(
            metadata_fetched=engine.metadata_fetched,
            content_fetched=engine.content_fetched,
            metadata_imported=engine.metadata_imported,
            content_imported=engine.content_imported,
            content_bytes_written=stats.content_bytes_written,
            bytes_transferred=engine.bytes_received,
            is_local=self._source is not None,
            refs={CollectionRef(ref.collection_id or "", ref.ref): ref.commit for ref in refs},
            delta_parts_fetched=self._counts.parts_fetched,
            vouched=self._judge.vouched,
        )

    def _planned(self) -> PullResult:
        """Return what a pull would come to that was not made."""
        received = self._fetcher.stats.bytes_received
        return PullResult(0, 0, 0, 0, 0, received, False, {}, plan=self._counts.sentence())  # noqa: FBT003  # by place
