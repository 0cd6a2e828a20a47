# SPDX-License-Identifier: Apache-2.0
"""What a pull has to ask for next: told what is here by now, without any I/O of its own.

Commits and directories are wanted breadth first, so that the queue of files fills while the tree
is still being discovered. Every object is wanted once, whatever number of directories list it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ostrya.formats.checksum import RAW_LENGTH, Checksum, DigestSet
from ostrya.formats.object_name import ObjectName, ObjectNameSet, ObjectType
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.formats.commit import Commit
    from ostrya.formats.dirtree import DirTree

ALL_PARENTS = -1
# Digests that were taken from the front of a queue are dropped in steps of so many.
_SHED_BYTES = 1 << 20


class Wanted(NamedTuple):
    """A metadata object that is needed.

    Attributes:
        name: The object.
        path: Of a dirtree: where it lies, ``/usr/bin/``; empty for other objects.
        is_parent: Of a commit: nobody asked for it by name.
    """

    name: ObjectName
    path: str = ""
    is_parent: bool = False


class Planner:
    """Keeps the queues of a pull.

    Attributes:
        metadata_found: Metadata objects that were wanted so far.
        content_found: Files that were wanted so far.
    """

    __slots__ = (
        "_commits_only",
        "_content",
        "_content_seen",
        "_depths",
        "_metadata",
        "_parents",
        "_seen",
        "_subpaths",
        "_trees_only",
        "content_found",
        "metadata_found",
    )

    def __init__(
        self,
        *,
        commits_only: bool = False,
        trees_only: bool = False,
        subpaths: Iterable[str] = (),
    ) -> None:
        """Begin with nothing wanted.

        Args:
            commits_only: Want commits, and nothing they hold.
            trees_only: Want commits and directories, but no files.
            subpaths: Want only what lies on the way to these absolute paths, or below them.
        """
        self._commits_only = commits_only
        self._trees_only = trees_only
        self._subpaths = tuple(subpaths)
        self._metadata: deque[Wanted] = deque()
        self._seen = ObjectNameSet()
        # How many generations are wanted with a commit, and what comes before those that are here.
        self._depths: dict[Checksum, int] = {}
        self._parents: dict[Checksum, Checksum | None] = {}
        self._content = DigestQueue()
        self._content_seen = DigestSet()
        self.metadata_found = 0
        self.content_found = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is wanted that was not handed out yet."""
        return not self._metadata and not len(self._content)

    @property
    def metadata_waiting(self) -> int:
        """How many metadata objects are wanted that were not handed out yet."""
        return len(self._metadata)

    @property
    def content_waiting(self) -> int:
        """How many files are wanted that were not handed out yet."""
        return len(self._content)

    def want_commit(self, checksum: Checksum, depth: int = 0, *, is_parent: bool = False) -> None:
        """Want a commit, and ``depth`` generations before it; ALL_PARENTS for all there are.

        Where histories meet, more generations may be wanted of one that is here already, or on its
        way, since answers come in any order.
        """
        parent: Checksum | None = checksum
        while parent is not None:
            checksum = parent
            known = self._depths.get(checksum)
            if known is not None and not _is_deeper(depth, known):
                return
            self._depths[checksum] = depth
            if known is None:
                name = ObjectName(checksum, ObjectType.COMMIT)
                self._want(Wanted(name, is_parent=is_parent))
                return
            parent = self._parents.get(checksum)
            depth, is_parent = _before(depth), True

    def next_metadata(self) -> Wanted | None:
        """Hand out a metadata object; None if none is waiting."""
        return self._metadata.popleft() if self._metadata else None

    def next_content(self) -> Checksum | None:
        """Hand out a file; None if none is waiting."""
        return self._content.pop()

    def commit_here(self, wanted: Wanted, commit: Commit, *, complete: bool) -> None:
        """Take in a commit that is here by now; of a complete one, all it holds is here as well."""
        checksum = wanted.name.checksum
        self._parents[checksum] = commit.parent
        depth = self._depths.get(checksum, 0)
        if depth and commit.parent is not None:
            self.want_commit(commit.parent, _before(depth), is_parent=True)
        if not complete and not self._commits_only:
            root = ObjectName(commit.root_contents, ObjectType.DIR_TREE)
            self._want(Wanted(root, "/"))
            self._want(Wanted(ObjectName(commit.root_metadata, ObjectType.DIR_META)))

    def dirtree_here(self, wanted: Wanted, tree: DirTree) -> None:
        """Take in a directory that is here by now."""
        for name, checksum in () if self._trees_only else tree.files:
            if self._leads_somewhere(wanted.path + name, is_dir=False) and self._content_seen.add(
                checksum
            ):
                self.content_found += 1
                self._content.push(checksum)
        for name, contents, metadata in tree.dirs:
            if self._leads_somewhere(wanted.path + name, is_dir=True):
                path = f"{wanted.path}{name}/"
                self._want(Wanted(ObjectName(contents, ObjectType.DIR_TREE), path))
                self._want(Wanted(ObjectName(metadata, ObjectType.DIR_META)))

    def _want(self, wanted: Wanted) -> None:
        if self._is_on_the_way(wanted.path):
            # Wanted in part only: elsewhere the same directory may be wanted whole.
            self._metadata.append(wanted)
            self.metadata_found += 1
        elif self._seen.add(wanted.name):
            self._metadata.append(wanted)
            self.metadata_found += 1

    def _is_on_the_way(self, path: str) -> bool:
        """Say whether only some of what lies in a directory is wanted."""
        return bool(path) and any(subpath.startswith(path) for subpath in self._subpaths)

    def _leads_somewhere(self, path: str, *, is_dir: bool) -> bool:
        """Say whether a path is on the way to one of the subpaths, or below it."""
        if not self._subpaths:
            return True
        return any(
            path == subpath
            or path.startswith(f"{subpath}/")
            or (is_dir and subpath.startswith(f"{path}/"))
            for subpath in self._subpaths
        )


def _is_deeper(depth: int, other: int) -> bool:
    return other != ALL_PARENTS and (depth == ALL_PARENTS or depth > other)


def _before(depth: int) -> int:
    """Return how many generations are wanted of a parent."""
    return ALL_PARENTS if depth == ALL_PARENTS else depth - 1


class DigestQueue:
    """Checksums, first in, first out; a million take 32 MB."""

    __slots__ = ("_digests", "_start")

    def __init__(self) -> None:
        self._digests = bytearray()
        self._start = 0

    def push(self, checksum: Checksum) -> None:
        """Add a checksum at the end."""
        self._digests += bytes.fromhex(checksum)

    def pop(self) -> Checksum | None:
        """Take the first checksum; None if there is none."""
        start = self._start
        if start == len(self._digests):
            return None
        self._start = start + RAW_LENGTH
        checksum = Checksum(self._digests[start : self._start].hex())
        if self._start >= _SHED_BYTES:
            del self._digests[: self._start]
            self._start = 0
        return checksum

    def __len__(self) -> int:
        return (len(self._digests) - self._start) // RAW_LENGTH
