# SPDX-License-Identifier: Apache-2.0
"""What commits reach: the sets that prune, fsck and pull work with.

A dirtree that was walked once is not walked again, so many commits of similar trees cost
little more than one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import FormatError
from ostrya.formats.object_name import ObjectName, ObjectNameSet, ObjectType
from ostrya.repo.errors import ObjectInvalid, ObjectNotFound
from ostrya.repo.partial import is_partial
from ostrya.repo.reader import load_commit, load_dirtree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository

ALL_PARENTS = -1
_ENDLESS = 1 << 62


def reachable_objects(
    repo: Repository,
    commits: Iterable[Checksum],
    *,
    depth: int = 0,
    commits_only: bool = False,
    into: ObjectNameSet | None = None,
    on_problem: Callable[[ObjectName, Exception], None] | None = None,
) -> ObjectNameSet:
    """Gather the names of all objects that commits reach.

    Args:
        repo: Where they are.
        commits: Where to begin; one that is not there ends its line.
        depth: How many generations of parents count too; ALL_PARENTS for all that are there.
        commits_only: Gather commits, and nothing they hold.
        into: A set to add to.
        on_problem: Told about directories that are missing or damaged, instead of raising.

    Raises:
        ObjectNotFound: A directory of a commit that is not marked partial is missing.
        FormatError: A commit or directory is damaged.
        ObjectInvalid: Likewise.
    """
    found = ObjectNameSet() if into is None else into
    # By commit: how many generations of its parents were gathered with it, or will be.
    gathered: dict[Checksum, int] = {}
    for start in commits:
        checksum: Checksum | None = start
        generations = depth if depth >= 0 else _ENDLESS
        while checksum is not None and gathered.get(checksum, -1) < generations:
            gathered[checksum] = generations
            name = ObjectName(checksum, ObjectType.COMMIT)
            try:
                commit = load_commit(repo, checksum)
            except ObjectNotFound:
                break
            except (FormatError, ObjectInvalid) as exc:
                if on_problem is None:
                    raise
                found.add(name)
                on_problem(name, exc)
                break
            found.add(name)
            if not commits_only:
                lenient = on_problem is not None or is_partial(repo, checksum)
                found.add(ObjectName(commit.root_metadata, ObjectType.DIR_META))
                _walk(repo, commit.root_contents, found, lenient, on_problem)
            if generations == 0:
                break
            if generations != _ENDLESS:
                generations -= 1
            checksum = commit.parent
    return found


def _walk(
    repo: Repository,
    root: Checksum,
    found: ObjectNameSet,
    lenient: bool,  # noqa: FBT001  # private, one caller
    on_problem: Callable[[ObjectName, Exception], None] | None,
) -> None:
    stack = [root]
    while stack:
        name = ObjectName(stack.pop(), ObjectType.DIR_TREE)
        if not found.add(name):
            continue
        try:
            tree = load_dirtree(repo, name.checksum)
        except (ObjectNotFound, ObjectInvalid, FormatError) as exc:
            if not lenient:
                raise
            if on_problem is not None:
                on_problem(name, exc)
            elif not isinstance(exc, ObjectNotFound):
                raise
            continue
        for _, content in tree.files:
            found.add(ObjectName(content, ObjectType.FILE))
        for _, contents, metadata in tree.dirs:
            found.add(ObjectName(metadata, ObjectType.DIR_META))
            stack.append(contents)


def commits_holding(
    repo: Repository, commits: Iterable[Checksum], names: Iterable[ObjectName]
) -> dict[ObjectName, list[Checksum]]:
    """Find out which commits reach given objects, one commit at a time."""
    wanted = list(names)
    holders: dict[ObjectName, list[Checksum]] = {name: [] for name in wanted}
    for commit in commits:
        reached = reachable_objects(repo, [commit], on_problem=lambda _name, _error: None)
        for name in wanted:
            if name in reached:
                holders[name].append(commit)
    return holders
