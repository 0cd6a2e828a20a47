# SPDX-License-Identifier: Apache-2.0
"""Pushing refs to a directory, a bucket, a host with sftp, or a server with the treehub interface.

First all refs are looked at, and a ref that would lose commits stops everything before anything is
sent. Then come the objects, children before parents, then the refs, each only if nobody else has
moved it meanwhile, and the summary last.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from ostrya.formats.checksum import Checksum
from ostrya.formats.refs import parse_refspec
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, ProgressSink
from ostrya.pull.errors import PushRefused
from ostrya.pull.parallel import DEFAULT_JOBS
from ostrya.pull.push_deltas import DeltaTarget, send_deltas
from ostrya.pull.push_target import RefState, Sent, SummaryChoice
from ostrya.pull.push_walk import find_shipment, is_ancestor
from ostrya.repo.bindings import check_bindings
from ostrya.repo.reader import load_commit
from ostrya.repo.refs import resolve_ref

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.pull.push_target import PushTarget
    from ostrya.repo.repository import Repository


class PushOptions(NamedTuple):
    """How to push.

    Attributes:
        depth: How many generations of parents to push too; -1 for all that are here.
        force: Move refs although they lose commits.
        dry_run: Look, and send nothing.
        recheck: Ask for every object, even of commits that the target has.
        verify_bindings: Refuse commits that say they belong under other refs.
        summary: What is to become of the target's summary.
        deltas: Send the deltas too that are here and lead to what is pushed.
    """

    depth: int = 0
    force: bool = False
    dry_run: bool = False
    recheck: bool = False
    verify_bindings: bool = True
    summary: SummaryChoice = SummaryChoice()
    deltas: bool = False


class PushedRef(NamedTuple):
    """What a push does to one ref.

    Attributes:
        ref: Its name.
        old: Where it pointed to; None if there was no such ref.
        new: Where it points to.
        change: ``new``, ``unchanged``, ``fast-forward`` or ``forced``.
    """

    ref: str
    old: Checksum | None
    new: Checksum
    change: str


class PushResult(NamedTuple):
    """What was pushed.

    Attributes:
        refs: What happened to each ref.
        sent: What the target lacked.
        summary: What became of the summary: ``written``, ``copied``, ``signed`` where it was left
            alone, for a new one would lose its signature, ``none`` where there is none.
        deltas: How many deltas were sent.
    """

    refs: tuple[PushedRef, ...]
    sent: Sent
    summary: str
    deltas: int = 0


def push(
    source: Repository,
    target: PushTarget,
    refs: Sequence[str],
    options: PushOptions | None = None,
    *,
    jobs: int = DEFAULT_JOBS,
    progress: ProgressSink = NULL_PROGRESS,
) -> PushResult:
    """Push refs; the target is closed in the end.

    Args:
        source: Where from.
        target: Where to; see ``open_target``.
        refs: Local refs, or ``remote:ref`` for one that was pulled, pushed under its own name.
        options: How to.
        jobs: How many requests at a time.
        progress: Told about objects.

    Raises:
        PushRefused: The target cannot be pushed to, or a ref of it would lose commits.
        RefMoved: Somebody else has moved a ref meanwhile; theirs stays.
        RefNotFound: There is no such ref here.
        FetchError: The target cannot be reached, or does not take something.
        IntegrityError: An object is damaged here.
    """
    options = options or PushOptions()
    with closing(target):
        if options.deltas and not isinstance(target, DeltaTarget):
            raise PushRefused(
                f"{target.shown} is sent no deltas",
                hint="where the repository is a folder, `ostrya static-delta generate` makes them",
            )
        wanted = _resolve(source, refs, options)
        target.prepare(source, options.summary, dry_run=options.dry_run)
        seen = {ref: target.read_ref(ref) for ref in wanted}
        changes = [
            _decide(source, target, ref, seen[ref].checksum, new, force=options.force)
            for ref, new in wanted.items()
        ]
        shipment = find_shipment(
            source,
            dict.fromkeys(wanted.values()),
            (lambda _checksum: False) if options.recheck else target.has_commit,
            depth=options.depth,
            common=[] if options.recheck else _common(target, seen),
            jobs=jobs,
        )
        if options.dry_run:
            return PushResult(tuple(changes), target.count_missing(shipment, jobs), "none")
        sent = target.send(source, shipment, jobs, progress)
        deltas = 0
        if options.deltas and isinstance(target, DeltaTarget):
            # Before the refs, so that whoever sees a new commit finds them.
            deltas = send_deltas(target, source, set(wanted.values()))
        for change in changes:
            if change.change != "unchanged":
                before = seen[change.ref]
                force = options.force and change.old is not None
                target.write_ref(change.ref, change.new, before, force=force)
        summary = target.write_summary(source, options.summary)
        return PushResult(tuple(changes), sent, summary, deltas)


def _resolve(source: Repository, refs: Sequence[str], options: PushOptions) -> dict[str, Checksum]:
    wanted: dict[str, Checksum] = {}
    for text in refs:
        remote, ref = parse_refspec(text)
        # resolve_ref raises unless it may return None.
        checksum = Checksum(str(resolve_ref(source, remote, ref, search_remotes=False)))
        if wanted.setdefault(ref, checksum) != checksum:
            raise PushRefused(f"ref {ref} is named twice, for different commits")
        if options.verify_bindings:
            check_bindings(load_commit(source, checksum).metadata, checksum, None, ref)
    return wanted


def _decide(  # facts by keyword and name
    source: Repository,
    target: PushTarget,
    ref: str,
    old: Checksum | None,
    new: Checksum,
    *,
    force: bool,
) -> PushedRef:
    if old is None:
        return PushedRef(ref, None, new, "new")
    if old == new:
        return PushedRef(ref, old, new, "unchanged")
    if is_ancestor(source, old, new):
        return PushedRef(ref, old, new, "fast-forward")
    if force:
        return PushedRef(ref, old, new, "forced")
    raise PushRefused(
        f"ref {ref} of {target.shown} points to {old}, which is no ancestor of {new}",
        hint="somebody else may have pushed: pull theirs and build on it, "
        "or give theirs up with --force",
    )


def _common(target: PushTarget, seen: dict[str, RefState]) -> list[Checksum]:
    tips = {state.checksum for state in seen.values() if state.checksum is not None}
    return [checksum for checksum in sorted(tips) if target.has_commit(checksum)]
