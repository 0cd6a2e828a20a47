# SPDX-License-Identifier: Apache-2.0
"""What differs between two trees, each of them a commit or a directory of this machine."""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from ostrya._linux import dirfd, xattr
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.xattrs import canonical_xattrs
from ostrya.named_tuple import NamedTuple
from ostrya.repo import reader
from ostrya.repo.modes import RepoMode
from ostrya.tree.file_checksum import file_checksum
from ostrya.tree.lookup import Directory, File, child_path, commit_root, list_directory
from ostrya.tree.modifier import FileInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository


class TreeDiff(NamedTuple):
    """Paths that differ, absolute within their tree, in the order of a walk.

    Attributes:
        modified: In both trees, with other content, metadata or kind.
        removed: In the old tree only; a directory stands for all that is in it.
        added: In the new tree only; what is in a new directory is listed too.
    """

    modified: tuple[str, ...]
    removed: tuple[str, ...]
    added: tuple[str, ...]


class DiffStats(NamedTuple):
    """How many objects two commits consist of, and how many they share."""

    old_objects: int
    new_objects: int
    common_objects: int
    common_bytes: int


class _Lists(NamedTuple):
    """A diff while it grows."""

    modified: list[str]
    removed: list[str]
    added: list[str]


class Node(Protocol):
    """A directory of either kind of tree, while it is being compared."""

    @property
    def path(self) -> str:
        """Absolute within its tree."""

    def files(self) -> list[str]:
        """Return the names of everything in it that is no directory."""

    def dirs(self) -> list[str]:
        """Return the names of its directories."""

    def file_checksum(self, name: str) -> str:
        """Return what a file would be called as an object."""

    def meta_checksum(self) -> str:
        """Return what its own metadata would be called as an object."""

    def tree_checksum(self) -> Checksum | None:
        """Return the object of all its entries, if it has one."""

    def enter(self, name: str) -> Node:
        """Return one of its directories; the caller closes it."""

    def close(self) -> None:
        """Give back what it holds open."""


class CommitTree:
    """A commit, or a directory in one."""

    def __init__(self, repo: Repository, directory: Directory) -> None:
        self._repo = repo
        self._directory = directory
        self._entries: dict[str, Directory | File] | None = None

    @property
    def path(self) -> str:
        """Absolute within the commit."""
        return self._directory.path

    @property
    def lacks_xattrs(self) -> bool:
        """Whether the repository keeps no extended attributes."""
        return self._repo.config.disable_xattrs or self._repo.mode == RepoMode.BARE_USER_ONLY

    def files(self) -> list[str]:
        """Return the names of the files and links."""
        return [name for name, entry in self._listing().items() if isinstance(entry, File)]

    def dirs(self) -> list[str]:
        """Return the names of the directories."""
        return [name for name, entry in self._listing().items() if isinstance(entry, Directory)]

    def file_checksum(self, name: str) -> str:
        """Return the object of a file."""
        entry = self._listing()[name]
        return entry.checksum if isinstance(entry, File) else entry.meta

    def meta_checksum(self) -> str:
        """Return its dirmeta object."""
        return self._directory.meta

    def tree_checksum(self) -> Checksum | None:
        """Return its dirtree object."""
        return self._directory.tree

    def enter(self, name: str) -> CommitTree:
        """Return one of its directories."""
        entry = self._listing()[name]
        if not isinstance(entry, Directory):
            raise TypeError(name)
        return CommitTree(self._repo, entry)

    def close(self) -> None:
        """Nothing is held open."""

    def _listing(self) -> dict[str, Directory | File]:
        if self._entries is None:
            entries = list_directory(self._repo, self._directory)
            self._entries = {entry.path.rpartition("/")[2]: entry for entry in entries}
        return self._entries


class HostView(NamedTuple):
    """How files of this machine are looked at.

    Attributes:
        with_xattrs: Whether extended attributes count.
        uid: Pretended owner, None for the real one.
        gid: Pretended group, None for the real one.
    """

    with_xattrs: bool = True
    uid: int | None = None
    gid: int | None = None

    def pretend(self, info: FileInfo) -> FileInfo:
        """Return owner, group and mode as they are to be seen."""
        uid = info.uid if self.uid is None else self.uid
        gid = info.gid if self.gid is None else self.gid
        return FileInfo(uid, gid, info.mode)


class HostTree:
    """A directory of this machine."""

    def __init__(self, fd: int, path: str, view: HostView) -> None:
        self._fd = fd
        self._path = path
        self._view = view

    @property
    def path(self) -> str:
        """Absolute below the directory where the comparison began."""
        return self._path

    def files(self) -> list[str]:
        """Return the names of everything that is no directory, sorted."""
        with os.scandir(self._fd) as entries:
            names = [entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]
        return sorted(names)

    def dirs(self) -> list[str]:
        """Return the names of the directories, sorted."""
        with os.scandir(self._fd) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))

    def file_checksum(self, name: str) -> str:
        """Read a file and compute its object's checksum."""
        found = os.stat(name, dir_fd=self._fd, follow_symlinks=False)
        if stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode):
            return file_checksum(
                name,
                dir_fd=self._fd,
                ignore_xattrs=not self._view.with_xattrs,
                change=self._view.pretend,
            )
        # Sockets, pipes and devices have no object; they equal only their like.
        info = self._view.pretend(FileInfo(found.st_uid, found.st_gid, found.st_mode))
        return f"{info} {found.st_rdev}"

    def meta_checksum(self) -> str:
        """Compute its dirmeta object's checksum."""
        found = os.fstat(self._fd)
        info = self._view.pretend(FileInfo(found.st_uid, found.st_gid, found.st_mode))
        pairs = xattr.read_xattrs(self._fd) if self._view.with_xattrs else []
        return sha256(DirMeta(*info, canonical_xattrs(pairs)).encode()).hexdigest()

    def tree_checksum(self) -> Checksum | None:
        """Return None: that would take reading everything."""
        return None

    def enter(self, name: str) -> HostTree:
        """Open one of its directories."""
        fd = dirfd.open_dir(name, dir_fd=self._fd)
        return HostTree(fd, child_path(self._path, name), self._view)

    def close(self) -> None:
        """Close the directory."""
        os.close(self._fd)


_AS_IT_IS = HostView()


def open_host_tree(path: str, view: HostView = _AS_IT_IS) -> HostTree:
    """Open a directory of this machine for comparison; the caller closes it.

    Raises:
        OSError: It is not there, or not a directory.
    """
    return HostTree(dirfd.open_dir(path, follow=True), "/", view)


def open_commit_tree(repo: Repository, commit: Checksum) -> CommitTree:
    """Make a commit ready for comparison.

    Raises:
        ObjectNotFound: The repository does not have it.
    """
    return CommitTree(repo, commit_root(repo, commit))


def compare_trees(old: Node, new: Node) -> TreeDiff:
    """Compare two trees.

    The directories where it begins are not compared themselves, only what is in them.
    """
    diff = _Lists([], [], [])
    _compare(old, new, diff)
    return TreeDiff(tuple(diff.modified), tuple(diff.removed), tuple(diff.added))


def compare_objects(repo: Repository, old: Checksum, new: Checksum) -> DiffStats:
    """Count the objects of two commits, and those that they have in common.

    Raises:
        ObjectNotFound: One of the commits is not complete.
    """
    from ostrya.repo.traverse import reachable_objects

    old_objects = reachable_objects(repo, [old])
    new_objects = reachable_objects(repo, [new])
    common = [name for name in old_objects if name in new_objects]
    size = sum(reader.object_storage_size(repo, name) for name in common)
    return DiffStats(len(old_objects), len(new_objects), len(common), size)


def _compare(old: Node, new: Node, diff: _Lists) -> None:
    """Compare two directories, however deep they are."""
    levels = [_compare_level(old, new, diff)]
    while levels:
        pair = next(levels[-1], None)
        if pair is None:
            levels.pop()
        else:
            levels.append(_compare_level(*pair, diff))


def _compare_level(old: Node, new: Node, diff: _Lists) -> Iterator[tuple[Node, Node]]:
    """Compare two directories but for those in both, which are yielded to be compared next."""
    tree = old.tree_checksum()
    if tree is not None and tree == new.tree_checksum():
        return
    old_files, old_dirs = dict.fromkeys(old.files()), dict.fromkeys(old.dirs())
    new_files, new_dirs = dict.fromkeys(new.files()), dict.fromkeys(new.dirs())
    for name in old_files:
        if name in new_files:
            if old.file_checksum(name) != new.file_checksum(name):
                diff.modified.append(child_path(old.path, name))
        else:
            _note_gone(child_path(old.path, name), diff, replaced=name in new_dirs)
    for name in old_dirs:
        if name in new_dirs:
            yield from _enter_both(name, old, new, diff)
        else:
            _note_gone(child_path(old.path, name), diff, replaced=name in new_files)
    known = old_files | old_dirs
    diff.added.extend(child_path(new.path, name) for name in new_files if name not in known)
    for name in new_dirs:
        if name not in known:
            diff.added.append(child_path(new.path, name))
            diff.added.extend(_everything_below(new, name))


def _note_gone(path: str, diff: _Lists, *, replaced: bool) -> None:
    (diff.modified if replaced else diff.removed).append(path)


def _enter_both(name: str, old: Node, new: Node, diff: _Lists) -> Iterator[tuple[Node, Node]]:
    old_child = old.enter(name)
    try:
        new_child = new.enter(name)
        try:
            if old_child.meta_checksum() != new_child.meta_checksum():
                diff.modified.append(old_child.path)
            yield old_child, new_child
        finally:
            new_child.close()
    finally:
        old_child.close()


def _everything_below(parent: Node, name: str) -> Iterator[str]:
    levels = [_level_below(parent, name)]
    while levels:
        found = next(levels[-1], None)
        if found is None:
            levels.pop()
            continue
        node, child, is_directory = found
        yield child_path(node.path, child)
        if is_directory:
            levels.append(_level_below(node, child))


def _level_below(parent: Node, name: str) -> Iterator[tuple[Node, str, bool]]:
    node = parent.enter(name)
    try:
        for child in node.files():
            yield node, child, False
        for child in node.dirs():
            yield node, child, True
    finally:
        node.close()
