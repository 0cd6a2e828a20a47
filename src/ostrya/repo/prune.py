# SPDX-License-Identifier: Apache-2.0
"""Deleting what no ref reaches.

Commits go first, and are gone from the disk before anything they hold: a prune that is killed
leaves unreachable objects, never a commit with holes.
"""

from __future__ import annotations

import os
from contextlib import nullcontext, suppress
from errno import EINVAL
from typing import TYPE_CHECKING

from ostrya._linux.naming import names_repo
from ostrya.formats.object_name import (
    ObjectName,
    ObjectNameSet,
    ObjectType,
    loose_path,
    parse_loose_name,
)
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, ProgressSink, Started, Unit
from ostrya.repo.config import parse_config
from ostrya.repo.deletion import delete_object
from ostrya.repo.delta_files import delete_delta, list_deltas
from ostrya.repo.errors import ObjectNotFound, RefConflict
from ostrya.repo.modes import RepoMode
from ostrya.repo.partial import clear_partial
from ostrya.repo.reader import has_object, iter_objects, load_commit
from ostrya.repo.refs import list_collection_refs, list_refs, require_rev
from ostrya.repo.remote_files import read_remotes
from ostrya.repo.repository import require_writable
from ostrya.repo.traverse import ALL_PARENTS, reachable_objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractContextManager

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository

_COUNTED = (
    ObjectType.FILE,
    ObjectType.DIR_TREE,
    ObjectType.DIR_META,
    ObjectType.COMMIT,
    ObjectType.PAYLOAD_LINK,
)
_DELETION_ORDER = (
    ObjectType.COMMIT,
    ObjectType.DIR_TREE,
    ObjectType.DIR_META,
    ObjectType.PAYLOAD_LINK,
    ObjectType.FILE,
)


class PruneResult(NamedTuple):
    """What a prune did, or would do.

    Attributes:
        total: Objects looked at.
        pruned: Objects deleted.
        freed_bytes: Bytes they took.
    """

    total: int
    pruned: int
    freed_bytes: int


@names_repo
def prune(  # noqa: PLR0913  # options by keyword
    repo: Repository,
    *,
    refs_only: bool = False,
    also: Iterable[Checksum] = (),
    depth: int = ALL_PARENTS,
    commits_only: bool = False,
    dry_run: bool = False,
    progress: ProgressSink = NULL_PROGRESS,
) -> PruneResult:
    """Delete objects that nothing reaches.

    Args:
        repo: The repository.
        refs_only: Keep what refs reach; otherwise keep what any commit reaches.
        also: Commits that are kept as if refs reached them.
        depth: How many generations of parents of each kept commit are kept.
        commits_only: Look at, and delete, commits only.
        dry_run: Delete nothing.
        progress: Told about objects.

    Raises:
        RepoLocked: Somebody writes to the repository and does not stop.
        FormatError: A commit or directory that has to be kept is damaged.
    """
    with _hold_lock(repo, dry_run=dry_run):
        if refs_only:
            kept = _reachable_from_refs(repo, also, depth=depth, commits_only=commits_only)
        else:
            commits = [n.checksum for n in iter_objects(repo) if n.type == ObjectType.COMMIT]
            kept = reachable_objects(repo, commits, depth=depth, commits_only=commits_only)
        return _prune_to(repo, kept, commits_only=commits_only, dry_run=dry_run, progress=progress)


@names_repo
def prune_branches(  # noqa: PLR0913  # options by keyword
    repo: Repository,
    *,
    depth: int = ALL_PARENTS,
    keep_since: int | None = None,
    branch_depths: Mapping[str, int | None] | None = None,
    only_branches: Iterable[str] = (),
    commits_only: bool = False,
    dry_run: bool = False,
    progress: ProgressSink = NULL_PROGRESS,
) -> PruneResult:
    """Delete objects that nothing reaches, with a rule for each branch.

    Mirrored refs of collections are branches without a rule of their own.

    Args:
        repo: The repository.
        depth: Generations of parents kept where no other rule says something.
        keep_since: Keep commits from this time on (seconds since 1970 UTC), and every tip.
        branch_depths: Generations of parents kept, by ref; None where the other rules decide.
        only_branches: Leave all refs but these, and those with a depth, as they are.
        commits_only: Look at, and delete, commits only.
        dry_run: Delete nothing.
        progress: Told about objects.

    Raises:
        RefNotFound: One of ``only_branches`` does not exist.
    """
    with _hold_lock(repo, dry_run=dry_run):
        refs = list_refs(repo)
        depths = dict(branch_depths or {})
        only = set(only_branches)
        for ref in only:
            require_rev(repo, ref)
        others = ALL_PARENTS if only else None
        rules = [
            (checksum, depths.get(ref, None if ref in only else others))
            for ref, checksum in refs.items()
        ]
        rules += [(checksum, others) for checksum in _mirrored(repo, refs)]
        kept = ObjectNameSet()
        for checksum, own_depth in rules:
            if own_depth is not None or keep_since is None:
                commits, generations = [checksum], depth if own_depth is None else own_depth
            else:
                commits, generations = _commits_since(repo, checksum, keep_since), 0
            reachable_objects(
                repo, commits, depth=generations, commits_only=commits_only, into=kept
            )
        return _prune_to(repo, kept, commits_only=commits_only, dry_run=dry_run, progress=progress)


def _hold_lock(repo: Repository, *, dry_run: bool) -> AbstractContextManager[object]:
    """Keep others from writing, unless only counting where the lock cannot be taken."""
    if dry_run and not repo.writable:
        return nullcontext()
    return repo.lock.hold(exclusive=True)


def _commits_since(repo: Repository, tip: Checksum, since: int) -> list[Checksum]:
    """Return a tip, and those before it that are not older than a time."""
    found = [tip]
    checksum: Checksum | None = tip
    # Damaged commits may name each other as parents.
    seen: set[Checksum] = set()
    while checksum is not None and checksum not in seen:
        seen.add(checksum)
        try:
            commit = load_commit(repo, checksum)
        except ObjectNotFound:
            break
        if commit.timestamp < since:
            break
        found.append(checksum)
        checksum = commit.parent
    return found


def _mirrored(repo: Repository, refs: Mapping[str, Checksum]) -> list[Checksum]:
    """Return the tips of collections but for those that our own refs are listed by too."""
    own = repo.config.collection_id
    return [
        checksum
        for owned, checksum in list_collection_refs(repo, include_remotes=False).items()
        if owned.collection_id != own or refs.get(owned.ref) != checksum
    ]


def _reachable_from_refs(
    repo: Repository, also: Iterable[Checksum], *, depth: int, commits_only: bool
) -> ObjectNameSet:
    tips = {*list_refs(repo).values(), *also}
    tips.update(list_collection_refs(repo, include_remotes=False).values())
    return reachable_objects(repo, sorted(tips), depth=depth, commits_only=commits_only)


def _prune_to(
    repo: Repository,
    kept: ObjectNameSet,
    *,
    commits_only: bool,
    dry_run: bool,
    progress: ProgressSink,
) -> PruneResult:
    """Delete all objects but those in a set; the repository is locked."""
    progress.send(Started("pruning", None, Unit.ITEMS))
    total = 0
    doomed: dict[ObjectType, ObjectNameSet] = {kind: ObjectNameSet() for kind in _DELETION_ORDER}
    for name in iter_objects(repo):
        if name.type not in _COUNTED or (commits_only and name.type != ObjectType.COMMIT):
            continue
        total += 1
        if name not in kept and not _is_useful_link(repo, name, kept):
            doomed[name.type].add(name)
    pruned = freed = 0
    for kind in _DELETION_ORDER:
        for name in doomed[kind]:
            freed += _delete(repo, name, dry_run=dry_run)
            pruned += 1
            progress.send(Advanced("pruning", pruned))
        if kind == ObjectType.COMMIT and len(doomed[kind]) and not dry_run:
            _make_durable(repo)
            for name in doomed[kind]:
                clear_partial(repo, name.checksum)
    if not dry_run:
        prune_deltas(repo)
        _prune_summary_cache(repo)
    progress.send(Finished("pruning", pruned))
    return PruneResult(total, pruned, freed)


def _delete(repo: Repository, name: ObjectName, *, dry_run: bool) -> int:
    path = loose_path(name, archive=repo.mode == RepoMode.ARCHIVE)
    size = os.stat(path, dir_fd=repo.objects_fd, follow_symlinks=False).st_size
    if not dry_run:
        delete_object(repo, name)
    return size


def _make_durable(repo: Repository) -> None:
    if repo.config.fsync:
        from ostrya._linux.durability import sync_filesystem

        sync_filesystem(repo.dir_fd)


def _is_useful_link(repo: Repository, name: ObjectName, kept: ObjectNameSet) -> bool:
    """Say whether a payload link leads to an object that is kept and large enough."""
    if name.type != ObjectType.PAYLOAD_LINK:
        return False
    threshold = repo.config.payload_link_threshold_bytes
    path = loose_path(name, archive=False)
    try:
        target = os.readlink(path, dir_fd=repo.objects_fd).removeprefix("../")
    except OSError as exc:
        if exc.errno != EINVAL:
            raise
        # Not a link at all.
        return False
    prefix, _, rest = target.partition("/")
    content = parse_loose_name(prefix, rest)
    if content is None or content not in kept or threshold is None:
        return False
    try:
        found = os.stat(target, dir_fd=repo.objects_fd, follow_symlinks=False)
    except FileNotFoundError:
        # Kept by name, but missing: its commit is known to be incomplete.
        return False
    return found.st_size >= threshold


@names_repo
def delete_commit(repo: Repository, checksum: Checksum) -> None:
    """Delete a commit that no ref points to, and leave a tombstone.

    Raises:
        RefConflict: A ref points to it.
        ObjectNotFound: It is not there.
    """
    require_writable(repo)
    with repo.lock.hold(exclusive=True):
        _require_unreferenced(repo, checksum)
        enable_tombstones(repo)
        delete_object(repo, ObjectName(checksum, ObjectType.COMMIT))


def _require_unreferenced(repo: Repository, checksum: Checksum) -> None:
    for ref, tip in list_refs(repo).items():
        if tip == checksum:
            raise RefConflict(f"Commit '{checksum}' is referenced by '{ref}'")
    for owned, tip in list_collection_refs(repo, include_remotes=False).items():
        if tip == checksum:
            raise RefConflict(
                f"Commit '{checksum}' is referenced by ({owned.collection_id}, {owned.ref})"
            )


def enable_tombstones(repo: Repository) -> None:
    """Configure the repository to leave tombstones of deleted commits."""
    if repo.config.tombstone_commits:
        return
    from ostrya.repo.config_writer import write_config

    keyfile = repo.config.keyfile
    keyfile.set_boolean("core", "tombstone-commits", True)  # noqa: FBT003  # GKeyFile's order
    write_config(repo, keyfile)
    repo.config = parse_config(keyfile)


@names_repo
def prune_deltas(repo: Repository, *, to: Checksum | None = None) -> int:
    """Delete deltas to a commit, or all whose commit is gone; return how many.

    Raises:
        RepoLocked: Somebody writes to the repository and does not stop.
    """
    count = 0
    with repo.lock.hold(exclusive=True):
        for name in list_deltas(repo):
            if to is None:
                doomed = not has_object(repo, ObjectName(name.to, ObjectType.COMMIT))
            else:
                doomed = name.to == to
            if doomed:
                delete_delta(repo, name)
                count += 1
    return count


def _prune_summary_cache(repo: Repository) -> None:
    """Delete cached summaries of remotes that are not configured any more."""
    remotes = read_remotes(repo)
    with suppress(FileNotFoundError):
        for name in os.listdir(f"/proc/self/fd/{repo.tmp_fd}/cache/summaries"):
            if name.removesuffix(".sig") not in remotes:
                os.unlink(f"cache/summaries/{name}", dir_fd=repo.tmp_fd)
