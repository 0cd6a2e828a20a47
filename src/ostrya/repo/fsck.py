# SPDX-License-Identifier: Apache-2.0
"""Verifying a repository: refs, commits, and every object that a complete commit reaches."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ostrya._linux.naming import names_repo
from ostrya.errors import FormatError, OstryaError
from ostrya.formats.commit import collection_binding, ref_bindings
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.formats.refs import CollectionRef, parse_refspec
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, ProgressSink, Started, Unit
from ostrya.repo.bindings import check_bindings
from ostrya.repo.deletion import delete_object
from ostrya.repo.errors import ObjectInvalid, ObjectNotFound, RepoCorrupted
from ostrya.repo.partial import CommitState, commit_state, is_partial, mark_partial
from ostrya.repo.reader import has_object, iter_commits, load_commit
from ostrya.repo.refs import list_collection_refs, list_refs, resolve_rev
from ostrya.repo.traverse import Holders, reachable_objects
from ostrya.repo.verify import ObjectVerifier, Problem, check_object, verify_objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.commit import Commit
    from ostrya.repo.repository import Repository


class NoteKind(Enum):
    """What a note of a running fsck is about."""

    STAGE = "stage"
    PROBLEM = "problem"
    TOMBSTONE = "tombstone"
    PARTIAL = "partial"


class FsckOptions(NamedTuple):
    """What to verify, and what to do about problems.

    Attributes:
        delete: Delete damaged objects, and mark their commits partial. What merely cannot be
            read is not deleted.
        keep_going: Report all problems instead of stopping at the first.
        add_tombstones: Replace commits whose parent is missing by tombstones.
        verify_bindings: Refs must be among the bindings of the commit they point to.
        verify_back_refs: Bindings of a commit must be refs that point to it.
    """

    delete: bool = False
    keep_going: bool = False
    add_tombstones: bool = False
    verify_bindings: bool = False
    verify_back_refs: bool = False


class FsckResult(NamedTuple):
    """What was verified.

    Attributes:
        commits: Complete commits.
        partial: Commits known to be incomplete, which were not verified.
        objects: Objects hashed.
    """

    commits: int
    partial: int
    objects: int


@names_repo
def fsck(
    repo: Repository,
    options: FsckOptions | None = None,
    *,
    on_note: Callable[[NoteKind, str], None] = lambda _kind, _text: None,
    jobs: int | None = None,
    progress: ProgressSink = NULL_PROGRESS,
) -> FsckResult:
    """Verify a repository.

    Args:
        repo: The repository.
        options: What to verify, and what to do about problems.
        on_note: Told about stages and problems in the words of libostree's tool.
        jobs: How many workers at most; one per processor if None.
        progress: Told about objects.

    Raises:
        RepoCorrupted: Something is damaged or missing.
        OstryaError: A ref is broken.
    """
    return _Fsck(repo, options or FsckOptions(), on_note, progress).run(jobs)


class _Fsck:
    def __init__(
        self,
        repo: Repository,
        options: FsckOptions,
        on_note: Callable[[NoteKind, str], None],
        progress: ProgressSink,
    ) -> None:
        self._repo = repo
        self._options = options
        self._note = on_note
        self._progress = progress
        self._corrupt = False
        self._verifier = ObjectVerifier(repo)

    def run(self, jobs: int | None) -> FsckResult:
        self._check_refs()
        self._note(NoteKind.STAGE, "Enumerating commits...")
        complete: list[Checksum] = []
        tombstones: list[Checksum] = []
        partial = fsck_partial = 0
        for checksum in sorted(set(iter_commits(self._repo))):
            state = commit_state(self._repo, checksum)
            self._check_commit(checksum, tombstones)
            if state == CommitState.NORMAL:
                complete.append(checksum)
            else:
                partial += 1
                fsck_partial += state == CommitState.FSCK_PARTIAL
        self._note(
            NoteKind.STAGE,
            f"Verifying content integrity of {len(complete)} commit objects...",
        )
        objects = self._check_objects(complete, jobs)
        if tombstones:
            self._bury(tombstones)
        elif partial and not self._options.add_tombstones:
            self._note(NoteKind.PARTIAL, f"{partial} partial commits not verified")
        if self._corrupt:
            raise RepoCorrupted("Repository corruption encountered")
        if fsck_partial:
            raise RepoCorrupted(f"{fsck_partial} partial commits from fsck-detected corruption")
        return FsckResult(len(complete), partial, objects)

    # -- refs

    def _check_refs(self) -> None:
        self._note(NoteKind.STAGE, "Validating refs...")
        for refspec, checksum in list_refs(self._repo).items():
            _, ref = parse_refspec(refspec)
            self._check_ref(checksum, None, ref, f"Loading commit for ref {ref}")
        self._note(NoteKind.STAGE, "Validating refs in collections...")
        owned = list_collection_refs(self._repo, include_remotes=False)
        for (collection_id, ref), checksum in owned.items():
            what = f"Loading commit for ref ({collection_id}, {ref})"
            self._check_ref(checksum, collection_id, ref, what)

    def _check_ref(
        self, checksum: Checksum, collection_id: str | None, ref: str, what: str
    ) -> None:
        problem = check_object(self._verifier, ObjectName(checksum, ObjectType.COMMIT))
        if problem is not None:
            self._handle(problem, None)
        try:
            commit = load_commit(self._repo, checksum)
        except ObjectNotFound as exc:
            raise RepoCorrupted(f"{what}: {exc.message}") from exc
        except (FormatError, ObjectInvalid) as exc:
            raise RepoCorrupted(f"{what}: {exc.message}") from exc
        except OSError as exc:
            if problem is None:
                raise RepoCorrupted(f"{what}: {exc.filename}: {exc.strerror}") from exc
            # Reported just now.
            return
        if self._options.verify_bindings or self._options.verify_back_refs:
            check_bindings(commit.metadata, checksum, collection_id, ref)

    # -- commits

    def _check_commit(self, checksum: Checksum, tombstones: list[Checksum]) -> None:
        try:
            commit = load_commit(self._repo, checksum)
        except (FormatError, ObjectInvalid, OSError):
            # Reported when its bytes are hashed.
            return
        if self._options.verify_back_refs:
            self._check_back_refs(checksum, commit)
        if self._options.add_tombstones and commit.parent is not None:
            parent = ObjectName(commit.parent, ObjectType.COMMIT)
            if not has_object(self._repo, parent):
                tombstones.append(checksum)

    def _check_back_refs(self, checksum: Checksum, commit: Commit) -> None:
        collection_id = collection_binding(commit.metadata)
        for ref in ref_bindings(commit.metadata) or ():
            if collection_id is None:
                what = f"Ref ‘{ref}’"
                actual = resolve_rev(self._repo, ref, allow_noent=True)
            else:
                what = f"Collection–ref ({collection_id}, {ref})"  # libostree's
                refs = list_collection_refs(self._repo, collection_id)
                actual = refs.get(CollectionRef(collection_id, ref))
            if actual is None:
                raise RepoCorrupted(f"{what} in bindings for commit {checksum} does not exist")
            if actual != checksum:
                raise RepoCorrupted(
                    f"{what} in bindings for commit {checksum} does not resolve to that commit"
                )

    def _bury(self, commits: list[Checksum]) -> None:
        from ostrya.repo.prune import enable_tombstones

        enable_tombstones(self._repo)
        for checksum in commits:
            self._note(NoteKind.TOMBSTONE, f"Adding tombstone for commit {checksum}")
            delete_object(self._repo, ObjectName(checksum, ObjectType.COMMIT))

    # -- objects

    def _check_objects(self, commits: list[Checksum], jobs: int | None) -> int:
        # What is wrong with directories comes up again when they are hashed.
        names = reachable_objects(self._repo, commits, on_problem=lambda _name, _error: None)
        total = len(names)
        self._progress.send(Started("fsck objects", total, Unit.ITEMS))
        done = 0
        problems: list[Problem] = []
        for count, found in verify_objects(self._repo, names, jobs=jobs):
            problems += found
            if any(map(self._is_fatal, found)):
                break
            done += count
            self._progress.send(Advanced("fsck objects", done))
        self._progress.send(Finished("fsck objects", done))
        if problems:
            # Only now: to find out who holds them costs a walk through all trees.
            holders = Holders(self._repo, commits, [problem.name for problem in problems])
            for problem in problems:
                self._handle(problem, holders.of(problem.name))
        return total

    def _is_fatal(self, problem: Problem) -> bool:
        return not (problem.missing or self._options.delete or self._options.keep_going)

    def _handle(self, problem: Problem, holders: list[Checksum] | None) -> None:
        """Report a problem, or raise it; ``holders`` are the commits that reach the object."""
        name = problem.name
        where = "" if holders is None else f" in commits {', '.join(holders)}"
        gone = problem.missing
        if problem.missing:
            self._note(NoteKind.PROBLEM, f"Object missing{where}: {name}")
        else:
            message = problem.message
            if holders is not None:
                message = f"In commits {', '.join(holders)}: {message}"
            if self._is_fatal(problem):
                raise RepoCorrupted(message)
            self._note(NoteKind.PROBLEM, message)
            if self._options.delete and not problem.unread:
                self._delete(name)
                gone = True
        self._corrupt = True
        if gone and holders and name.type != ObjectType.COMMIT:
            for holder in holders:
                self._mark(holder)

    def _delete(self, name: ObjectName) -> None:
        try:
            delete_object(self._repo, name)
        except (OstryaError, OSError) as exc:
            self._note(NoteKind.PROBLEM, f"cannot delete object {name}: {exc}")

    def _mark(self, commit: Checksum) -> None:
        if not is_partial(self._repo, commit):
            self._note(NoteKind.PROBLEM, f"Marking commit as partial: {commit}")
            mark_partial(self._repo, commit, by_fsck=True)
