# SPDX-License-Identifier: Apache-2.0
"""What a push has to bring: the commits that are wanted, and everything they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.object_name import ObjectName, ObjectNameSet, ObjectType
from ostrya.named_tuple import NamedTuple
from ostrya.pull.errors import PushRefused
from ostrya.pull.parallel import DEFAULT_JOBS, each
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.partial import is_partial
from ostrya.repo.reader import load_commit, load_dirtree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ostrya.formats.checksum import Checksum
    from ostrya.formats.commit import Commit
    from ostrya.repo.repository import Repository

_KEY_SIZES = "ostree.sizes"


class Shipment(NamedTuple):
    """What a target may lack.

    Attributes:
        commits: That it lacks, parents first.
        known: Commits that were asked for and are there.
        metadata: Dirtrees and dirmetas that the commits hold and that are not known to be there.
        content: Files, likewise.
        with_sizes: Whether a commit says how many bytes its files take in an archive.
    """

    commits: tuple[Checksum, ...]
    known: tuple[Checksum, ...]
    metadata: ObjectNameSet
    content: ObjectNameSet
    with_sizes: bool = False

    @property
    def total(self) -> int:
        """How many objects it has."""
        return len(self.commits) + len(self.metadata) + len(self.content)


def find_shipment(
    source: Repository,
    tips: Iterable[Checksum],
    has_commit: Callable[[Checksum], bool],
    *,
    depth: int = 0,
    common: Iterable[Checksum] = (),
    jobs: int = DEFAULT_JOBS,
) -> Shipment:
    """Walk from the tips to everything that a target may lack.

    Args:
        source: Where it is.
        tips: Commits to bring.
        has_commit: Says whether the target has a commit with all that it holds.
        depth: How many generations of parents to bring too; -1 for all that are here.
        common: Commits that the target has: what they hold is not asked for again.
        jobs: How many commits to ask for at a time.

    Raises:
        PushRefused: A commit is incomplete here.
        ObjectNotFound: Something that a commit holds is missing here.
    """
    found = _find_commits(source, tips, depth)

    def ask(checksum: Checksum) -> tuple[Checksum, bool]:
        return checksum, has_commit(checksum)

    there_by_commit = dict(each(ask, found, jobs))
    known = [checksum for checksum in found if there_by_commit[checksum]]
    lacking = {name: commit for name, commit in found.items() if not there_by_commit[name]}
    there = ObjectNameSet()
    for checksum in dict.fromkeys((*common, *known)):
        _walk_held(source, checksum, there)
    metadata, content = ObjectNameSet(), ObjectNameSet()
    for commit in lacking.values():
        _walk(source, commit, there, metadata, content)
    # Found from the tips towards the parents; those come first.
    commits = tuple(reversed(lacking))
    with_sizes = any(commit.metadata.get(_KEY_SIZES) is not None for commit in lacking.values())
    return Shipment(commits, tuple(known), metadata, content, with_sizes)


def _find_commits(
    source: Repository, tips: Iterable[Checksum], depth: int
) -> dict[Checksum, Commit]:
    """Find tips and their parents; every commit stands before its parents."""
    found: dict[Checksum, Commit] = {}
    for tip in tips:
        checksum: Checksum | None = tip
        left = depth
        seen: set[Checksum] = set()
        # Damaged commits may name each other as parents.
        while checksum is not None and checksum not in seen:
            seen.add(checksum)
            commit = found.pop(checksum, None)
            if commit is None:
                commit = _load_whole(source, checksum, is_tip=checksum == tip)
            if commit is None:
                break
            # Again, further down, if another tip led here before.
            found[checksum] = commit
            if left == 0:
                break
            left -= 1
            checksum = commit.parent
    return found


def _load_whole(source: Repository, checksum: Checksum, *, is_tip: bool) -> Commit | None:
    """Return a commit; None for a parent at which the history here is cut off."""
    try:
        commit = load_commit(source, checksum)
    except ObjectNotFound:
        if is_tip:
            raise
        return None
    if is_partial(source, checksum):
        if not is_tip:
            return None
        raise PushRefused(
            f"commit {checksum} is incomplete in {source.path}",
            hint="pull it whole first, without --subpath or --commit-metadata-only",
        )
    return commit


def _walk_held(source: Repository, checksum: Checksum, there: ObjectNameSet) -> None:
    """Take note of what a commit of the target holds, as far as it is known here."""
    try:
        commit = load_commit(source, checksum)
        if not is_partial(source, checksum):
            _walk(source, commit, ObjectNameSet(), there, there)
    except ObjectNotFound:
        return


def _walk(
    source: Repository,
    commit: Commit,
    there: ObjectNameSet,
    metadata: ObjectNameSet,
    content: ObjectNameSet,
) -> None:
    root_meta = ObjectName(commit.root_metadata, ObjectType.DIR_META)
    if root_meta not in there:
        metadata.add(root_meta)
    stack = [commit.root_contents]
    while stack:
        name = ObjectName(stack.pop(), ObjectType.DIR_TREE)
        if name in there or not metadata.add(name):
            continue
        tree = load_dirtree(source, name.checksum)
        for _, checksum in tree.files:
            file = ObjectName(checksum, ObjectType.FILE)
            if file not in there:
                content.add(file)
        for _, contents, dirmeta in tree.dirs:
            meta = ObjectName(dirmeta, ObjectType.DIR_META)
            if meta not in there:
                metadata.add(meta)
            stack.append(contents)


def is_ancestor(source: Repository, older: Checksum, newer: Checksum) -> bool:
    """Say whether a commit is among the parents of another one, as far as they are here."""
    seen = set()
    checksum: Checksum | None = newer
    while checksum is not None and checksum not in seen:
        if checksum == older:
            return True
        seen.add(checksum)
        try:
            checksum = load_commit(source, checksum).parent
        except ObjectNotFound:
            return False
    return False
