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
        on_problem: Told about commits and directories that are missing or damaged, or cannot be
            read, instead of raising.

    Raises:
        ObjectNotFound: A directory of a commit that is not marked partial is missing.
        FormatError: A commit or directory is damaged.
        ObjectInvalid: Likewise.
        OSError: One cannot be read.
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
            except (FormatError, ObjectInvalid, OSError) as exc:
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
        except (ObjectNotFound, ObjectInvalid, FormatError, OSError) as exc:
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


class Holders:
    """Which commits reach given objects, whatever is missing, damaged or unreadable on the way.

    Every directory is read once, however many commits and objects there are.
    """

    __slots__ = (
        "_above",
        "_climbed",
        "_commits",
        "_known",
        "_listed",
        "_named",
        "_order",
        "_read",
        "_repo",
    )

    def __init__(
        self, repo: Repository, commits: Iterable[Checksum], names: Iterable[ObjectName]
    ) -> None:
        """Walk the trees of all commits.

        Args:
            repo: Where they are.
            commits: Those that may hold something.
            names: What is going to be asked for.
        """
        self._repo = repo
        # By object: the dirtrees that list it, or are it; the commits that name it, or are it.
        self._listed: dict[ObjectName, set[Checksum]] = {name: set() for name in names}
        self._named: dict[ObjectName, set[Checksum]] = {name: set() for name in self._listed}
        # By dirtree: the dirtrees right above it, and the commits it is the root of.
        self._above: dict[Checksum, set[Checksum]] = {}
        self._commits: dict[Checksum, set[Checksum]] = {}
        self._read = ObjectNameSet()
        # By dirtree: all commits that reach it. Many have the same: each such set is kept once.
        self._climbed: dict[Checksum, frozenset[Checksum]] = {}
        self._known: dict[frozenset[Checksum], frozenset[Checksum]] = {}
        self._order = tuple(commits)
        for commit in self._order:
            self._add_commit(commit)

    def of(self, name: ObjectName) -> list[Checksum]:
        """Give the commits that reach one of the objects, in the order in which they were given."""
        found = self._named[name].union(*map(self._commits_above, self._listed[name]))
        return [commit for commit in self._order if commit in found]

    def _add_commit(self, checksum: Checksum) -> None:
        self._note(self._named, ObjectName(checksum, ObjectType.COMMIT), checksum)
        try:
            commit = load_commit(self._repo, checksum)
        except (ObjectNotFound, ObjectInvalid, FormatError, OSError):
            return
        self._note(self._named, ObjectName(commit.root_metadata, ObjectType.DIR_META), checksum)
        self._commits.setdefault(commit.root_contents, set()).add(checksum)
        stack = [commit.root_contents]
        while stack:
            name = ObjectName(stack.pop(), ObjectType.DIR_TREE)
            if self._read.add(name):
                stack.extend(self._add_dirtree(name))

    def _add_dirtree(self, name: ObjectName) -> list[Checksum]:
        """Take in what a directory lists, and return the directories among it."""
        self._note(self._listed, name, name.checksum)
        try:
            tree = load_dirtree(self._repo, name.checksum)
        except (ObjectNotFound, ObjectInvalid, FormatError, OSError):
            return []
        for _, content in tree.files:
            self._note(self._listed, ObjectName(content, ObjectType.FILE), name.checksum)
        for _, contents, metadata in tree.dirs:
            self._note(self._listed, ObjectName(metadata, ObjectType.DIR_META), name.checksum)
            self._above.setdefault(contents, set()).add(name.checksum)
        return [contents for _, contents, _ in tree.dirs]

    @staticmethod
    def _note(into: dict[ObjectName, set[Checksum]], name: ObjectName, holder: Checksum) -> None:
        wanted = into.get(name)
        if wanted is not None:
            wanted.add(holder)

    def _commits_above(self, dirtree: Checksum) -> frozenset[Checksum]:
        known = self._climbed.get(dirtree)
        if known is None:
            seen = {dirtree}
            stack = [dirtree]
            found: set[Checksum] = set()
            while stack:
                current = stack.pop()
                found.update(self._commits.get(current, ()))
                above = self._above.get(current, set()) - seen
                seen |= above
                stack.extend(above)
            commits = frozenset(found)
            known = self._climbed[dirtree] = self._known.setdefault(commits, commits)
        return known
