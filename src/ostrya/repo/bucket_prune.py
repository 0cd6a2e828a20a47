# SPDX-License-Identifier: Apache-2.0
"""Pruning an archive in a bucket: deleting what nothing reaches.

Nothing can be locked in a bucket. A mark keeps pushes away meanwhile (``repo.bucket_marks``), and
what is younger than a grace age stays, whoever brought it. Commits go first and files last, so that
a prune that is killed leaves no commit without what it holds.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from ostrya.errors import FormatError, OstryaError
from ostrya.formats.checksum import Checksum, check_checksum
from ostrya.formats.commit import Commit
from ostrya.formats.delta_name import INDEX_SUFFIX, DeltaName, parse_delta_name
from ostrya.formats.dirtree import DirTree
from ostrya.formats.keyfile import KeyFile
from ostrya.formats.object_name import (
    ObjectName,
    ObjectNameSet,
    ObjectType,
    loose_path,
    parse_loose_name,
)
from ostrya.formats.summary import Summary
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, ProgressSink, Started, Unit
from ostrya.repo.bucket_marks import PRUNE, Mark
from ostrya.repo.config import MAX_CONFIG_BYTES, parse_config
from ostrya.repo.errors import BucketError, ObjectNotFound, RepoCorrupted, RepoNotFound
from ostrya.repo.prune import PruneResult
from ostrya.repo.reader import MAX_METADATA_BYTES
from ostrya.repo.summary import MAX_SUMMARY_BYTES
from ostrya.repo.traverse import ALL_PARENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ostrya.repo.stores.bucket import BucketFile, BucketStore

DEFAULT_GRACE_S = 24 * 60 * 60
DEFAULT_JOBS = 16
_MAX_REF_BYTES = 4096
_DELETE_BATCH = 1000
_READ_BATCH = 256
_ENDLESS = 1 << 62
_BESIDE_COMMITS = (ObjectType.COMMIT_META, ObjectType.TOMBSTONE_COMMIT)
# What is deleted when; commits before what they hold.
_ORDER = (
    (ObjectType.COMMIT,),
    (ObjectType.COMMIT_META,),
    (ObjectType.DIR_TREE, ObjectType.DIR_META),
    (ObjectType.FILE,),
)
_T = TypeVar("_T")


class BucketPruneOptions(NamedTuple):
    """How to prune.

    Attributes:
        refs_only: Keep only what refs reach; else what any commit there reaches.
        depth: How many generations of parents are kept too; -1 for all that are there.
        grace_s: What is younger is kept, and what it reaches.
        dry_run: Delete nothing, only count.
    """

    refs_only: bool = False
    depth: int = ALL_PARENTS
    grace_s: int = DEFAULT_GRACE_S
    dry_run: bool = False


def prune_bucket(
    store: BucketStore,
    options: BucketPruneOptions | None = None,
    *,
    now: datetime | None = None,
    jobs: int = DEFAULT_JOBS,
    progress: ProgressSink = NULL_PROGRESS,
) -> PruneResult:
    """Delete what nothing reaches.

    Args:
        store: The bucket.
        options: How to.
        now: What ages are counted to; the clock's if None.
        jobs: How many requests at a time.
        progress: Told about objects.

    Raises:
        RepoNotFound: There is no repository in it.
        BucketBusy: Somebody is pushing to it.
        RepoCorrupted: A ref points to what is not there; nothing is deleted.
        ObjectNotFound: A commit lacks a directory; nothing is deleted.
        FetchError: The bucket cannot be reached, or does not delete.
    """
    options = options or BucketPruneOptions()
    _require_archive(store)
    youngest = (now or datetime.now(UTC)) - timedelta(seconds=options.grace_s)
    mark = Mark(store, PRUNE)
    if not options.dry_run:
        mark.set()
    try:
        return _Prune(store, options, youngest, mark, jobs, progress).run()
    finally:
        if not options.dry_run:
            with suppress(BucketError):
                mark.remove()


def _require_archive(store: BucketStore) -> None:
    found = store.read("config", MAX_CONFIG_BYTES)
    if found is None:
        raise RepoNotFound(
            f"{store.shown} is no repository: it has no config", hint="check bucket and prefix"
        )
    try:
        parse_config(KeyFile.decode(found.data))
    except OstryaError as exc:
        exc.put_first(f"{store.shown}/config")
        raise


class _Prune:
    def __init__(
        self,
        store: BucketStore,
        options: BucketPruneOptions,
        youngest: datetime,
        mark: Mark,
        jobs: int,
        progress: ProgressSink,
    ) -> None:
        self._store = store
        self._options = options
        self._youngest = youngest
        self._mark = mark
        self._jobs = max(jobs, 1)
        self._progress = progress
        self._kept = ObjectNameSet()
        self._looked_at = 0

    def run(self) -> PruneResult:
        self._progress.send(Started("looking", None, Unit.ITEMS))
        with ThreadPoolExecutor(self._jobs) as pool:
            self._keep_all(pool)
        total = pruned = freed = 0
        doomed: dict[ObjectType, list[str]] = {}
        for name, found in self._objects():
            total += 1
            if self._is_kept(name, found):
                continue
            pruned += 1
            freed += found.size
            doomed.setdefault(name.type, []).append(found.path)
        self._progress.send(Finished("looking", self._looked_at))
        if not self._options.dry_run:
            self._delete(doomed)
        return PruneResult(total, pruned, freed)

    def _objects(self) -> Iterator[tuple[ObjectName, BucketFile]]:
        """Give all objects of the bucket; what is none is left alone."""
        for found in self._store.scan("objects"):
            self._step()
            parts = found.path.split("/")
            name = parse_loose_name(parts[1], parts[2]) if len(parts) == 3 else None
            if name is not None:
                yield name, found

    def _is_kept(self, name: ObjectName, found: BucketFile) -> bool:
        if name in self._kept or found.modified > self._youngest:
            return True
        if name.type in _BESIDE_COMMITS:
            if name.type == ObjectType.TOMBSTONE_COMMIT:
                return True
            return ObjectName(name.checksum, ObjectType.COMMIT) in self._kept
        # Of other kinds there are none in an archive; they are not ours to delete.
        return not any(name.type in kinds for kinds in _ORDER)

    def _keep_all(self, pool: ThreadPoolExecutor) -> None:
        depth = self._options.depth
        tips = self._ref_tips()
        self._keep(pool, tips.values(), depth, must_be=True)
        # A signed one stays as it is when refs move on, and says what clients ask for.
        self._keep(pool, self._summary_tips(), depth, must_be=False)
        others = []
        for name, found in self._objects():
            is_young = found.modified > self._youngest
            if name.type == ObjectType.COMMIT and (is_young or not self._options.refs_only):
                others.append(name.checksum)
        # Whoever can see a commit that stays must find what it holds.
        self._keep(pool, others, 0 if self._options.refs_only else depth, must_be=False)

    def _ref_tips(self) -> dict[str, Checksum]:
        tips = {}
        for path in self._store.list("refs"):
            found = self._store.read(path, _MAX_REF_BYTES)
            if found is None:
                continue
            try:
                tips[path] = check_checksum(found.data.decode(errors="replace").strip())
            except FormatError as exc:
                raise RepoCorrupted(
                    f"{self._store.shown}/{path} holds no checksum: {exc.message}",
                    hint="nothing was deleted; push that ref again, or delete it",
                ) from None
        return tips

    def _summary_tips(self) -> list[Checksum]:
        found = self._store.read("summary", MAX_SUMMARY_BYTES)
        if found is None:
            return []
        try:
            summary = Summary.decode(found.data)
            others = summary.collection_map().values()
        except FormatError as exc:
            exc.put_first(f"{self._store.shown}/summary")
            raise
        return [ref.checksum for ref in chain(summary.refs, *others)]

    def _keep(
        self, pool: ThreadPoolExecutor, commits: Iterable[Checksum], depth: int, *, must_be: bool
    ) -> None:
        """Keep commits and what they reach: one generation at a time, many requests at once."""
        generations = depth if depth >= 0 else _ENDLESS
        level = dict.fromkeys(commits)
        walked: set[Checksum] = set()
        while level:
            parents: dict[Checksum, None] = {}
            roots: list[Checksum] = []
            walked.update(level)
            for checksum, data in zip(level, pool.map(self._read_commit, level), strict=True):
                if data is None:
                    if must_be:
                        raise self._lost(checksum)
                    continue
                commit = self._decode(ObjectName(checksum, ObjectType.COMMIT), data, Commit.decode)
                self._kept.add(ObjectName(checksum, ObjectType.COMMIT))
                self._kept.add(ObjectName(commit.root_metadata, ObjectType.DIR_META))
                roots.append(commit.root_contents)
                if commit.parent is not None and generations and commit.parent not in walked:
                    parents[commit.parent] = None
            self._keep_trees(pool, roots)
            # Where history was cut off, it ends.
            must_be = False
            generations -= 1
            level = parents

    def _keep_trees(self, pool: ThreadPoolExecutor, roots: list[Checksum]) -> None:
        level = roots
        while level:
            names = [ObjectName(checksum, ObjectType.DIR_TREE) for checksum in level]
            fresh = [name for name in names if self._kept.add(name)]
            level = []
            for start in range(0, len(fresh), _READ_BATCH):
                batch = fresh[start : start + _READ_BATCH]
                for name, data in zip(batch, pool.map(self._read_object, batch), strict=True):
                    self._step()
                    if data is None:
                        raise ObjectNotFound(name)
                    tree = self._decode(name, data, DirTree.decode)
                    for _, checksum in tree.files:
                        self._kept.add(ObjectName(checksum, ObjectType.FILE))
                    for _, contents, metadata in tree.dirs:
                        self._kept.add(ObjectName(metadata, ObjectType.DIR_META))
                        level.append(contents)

    def _read_commit(self, checksum: Checksum) -> bytes | None:
        return self._read_object(ObjectName(checksum, ObjectType.COMMIT))

    def _read_object(self, name: ObjectName) -> bytes | None:
        found = self._store.read(_path(name), MAX_METADATA_BYTES)
        return None if found is None else found.data

    def _decode(self, name: ObjectName, data: bytes, decode: Callable[[bytes], _T]) -> _T:
        try:
            return decode(data)
        except FormatError as exc:
            exc.put_first(f"{self._store.shown}: {name}")
            raise

    def _lost(self, checksum: Checksum) -> RepoCorrupted:
        return RepoCorrupted(
            f"a ref of {self._store.shown} points to commit {checksum}, which is not there",
            hint="nothing was deleted; push that commit again, or delete the ref",
        )

    def _step(self) -> None:
        self._looked_at += 1
        if self._looked_at % 256 == 0:
            self._progress.send(Advanced("looking", self._looked_at))

    def _delete(self, doomed: dict[ObjectType, list[str]]) -> None:
        count = sum(map(len, doomed.values()))
        self._progress.send(Started("deleting", count, Unit.ITEMS))
        done = 0
        self._delete_deltas()
        for kinds in _ORDER:
            for kind in kinds:
                paths = doomed.get(kind, [])
                for start in range(0, len(paths), _DELETE_BATCH):
                    batch = paths[start : start + _DELETE_BATCH]
                    self._mark.require_fresh()
                    self._store.delete_many(batch)
                    done += len(batch)
                    self._progress.send(Advanced("deleting", done))
        self._progress.send(Finished("deleting", done))

    def _delete_deltas(self) -> None:
        """Delete what leads to no commit that stays: before these, else it would be forgotten."""
        paths = []
        for found in chain(self._store.scan("deltas"), self._store.scan("delta-indexes")):
            delta = _parse_delta_path(found.path)
            if delta is None or found.modified > self._youngest:
                continue
            if ObjectName(delta.to, ObjectType.COMMIT) not in self._kept:
                paths.append(found.path)
        if paths:
            self._mark.require_fresh()
            self._store.delete_many(paths)


def _path(name: ObjectName) -> str:
    return f"objects/{loose_path(name, archive=True)}"


def _parse_delta_path(path: str) -> DeltaName | None:
    """Return the delta that a file belongs to; of an index, the one from nothing to its commit."""
    parts = path.split("/")
    if len(parts) == 4 and parts[0] == "deltas":
        return parse_delta_name(parts[1] + parts[2])
    if len(parts) == 3 and parts[2].endswith(INDEX_SUFFIX):
        return parse_delta_name(parts[1] + parts[2].removesuffix(INDEX_SUFFIX))
    return None
