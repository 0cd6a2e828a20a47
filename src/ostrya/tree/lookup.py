# SPDX-License-Identifier: Apache-2.0
"""Finding entries in a commit by path, and walking its directories.

Paths inside a commit are absolute (``/usr/bin/bash``) or relative to the root, which is the same.
Symbolic links are entries like others and are not followed, but by :func:`resolve_content`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.repo import reader
from ostrya.tree.errors import IsADirectory, NotADirectory, PathNotFound, TooManyLinks
from ostrya.tree.lineage import Lineage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository

_MAX_LINKS = 40


class Directory(NamedTuple):
    """A directory in a commit.

    Attributes:
        path: Absolute; ``/`` for the root.
        tree: Its dirtree object.
        meta: Its dirmeta object.
        above: Those above it; None for where a walk begins.
    """

    path: str
    tree: Checksum
    meta: Checksum
    above: Lineage | None = None

    def below(self) -> Lineage:
        """Return the lineage of what is in this directory.

        Raises:
            ObjectInvalid: The directory lies in itself.
        """
        return Lineage(self.tree) if self.above is None else self.above.enter(self.tree)


class File(NamedTuple):
    """A regular file or symbolic link in a commit.

    Attributes:
        path: Absolute.
        checksum: Its content object.
    """

    path: str
    checksum: Checksum


Entry = Directory | File


def commit_root(repo: Repository, commit: Checksum) -> Directory:
    """Return the root directory of a commit.

    Raises:
        ObjectNotFound: The repository does not have the commit.
    """
    loaded = reader.load_commit(repo, commit)
    return Directory("/", loaded.root_contents, loaded.root_metadata)


def resolve_path(repo: Repository, root: Directory, path: str) -> Entry:
    """Return the entry of a path below a directory.

    Raises:
        PathNotFound: There is none.
        NotADirectory: A component on the way is a file or link.
        ObjectNotFound: A directory on the way is missing in the repository.
    """
    entry: Entry = root
    for name in _components(path):
        if isinstance(entry, File):
            raise NotADirectory(entry.path)
        entry = find_child(repo, entry, name)
    return entry


def resolve_directory(repo: Repository, root: Directory, path: str) -> Directory:
    """Return the directory of a path.

    Raises:
        PathNotFound: There is no such entry.
        NotADirectory: It, or a component on the way, is something else.
    """
    entry = resolve_path(repo, root, path)
    if isinstance(entry, File):
        raise NotADirectory(entry.path)
    return entry


def find_child(repo: Repository, directory: Directory, name: str) -> Entry:
    """Return the entry of a name in a directory.

    Raises:
        PathNotFound: There is none.
    """
    tree = reader.load_dirtree(repo, directory.tree)
    path = child_path(directory.path, name)
    for file_name, checksum in tree.files:
        if file_name == name:
            return File(path, checksum)
    for dir_name, contents, meta in tree.dirs:
        if dir_name == name:
            return Directory(path, contents, meta, directory.below())
    raise PathNotFound(path)


def resolve_content(repo: Repository, root: Directory, path: str) -> File:
    """Return the regular file that a path leads to, links inside the commit followed.

    Raises:
        PathNotFound: A link dangles, or there is no such path.
        IsADirectory: The path leads to a directory.
        TooManyLinks: Links lead in a circle.
    """
    todo = _components(path)
    trail: list[Entry] = [root]
    links = 0
    while todo:
        name = todo.pop(0)
        here = trail[-1]
        if isinstance(here, File):
            raise NotADirectory(here.path)
        if name == "..":
            trail = trail[:-1] or [root]
            continue
        entry = find_child(repo, here, name)
        target = _link_target(repo, entry)
        if target is None:
            trail.append(entry)
            continue
        links += 1
        if links > _MAX_LINKS:
            raise TooManyLinks(path)
        if target.startswith("/"):
            trail = [root]
        todo = _components(target) + todo
    last = trail[-1]
    if isinstance(last, Directory):
        raise IsADirectory(last.path)
    return last


def list_directory(repo: Repository, directory: Directory) -> Iterator[Entry]:
    """Yield the entries of a directory: files and links by name, then directories by name."""
    tree = reader.load_dirtree(repo, directory.tree)
    lineage = directory.below()
    for name, checksum in tree.files:
        yield File(child_path(directory.path, name), checksum)
    for name, contents, meta in tree.dirs:
        yield Directory(child_path(directory.path, name), contents, meta, lineage)


def walk(repo: Repository, directory: Directory) -> Iterator[Entry]:
    """Yield everything below a directory, each directory before what is in it."""
    levels = [list_directory(repo, directory)]
    while levels:
        entry = next(levels[-1], None)
        if entry is None:
            levels.pop()
            continue
        yield entry
        if isinstance(entry, Directory):
            levels.append(list_directory(repo, entry))


def child_path(path: str, name: str) -> str:
    """Return the path of an entry of a directory."""
    return f"/{name}" if path == "/" else f"{path}/{name}"


def _components(path: str) -> list[str]:
    return [name for name in path.split("/") if name not in {"", "."}]


def _link_target(repo: Repository, entry: Entry) -> str | None:
    if isinstance(entry, Directory):
        return None
    with reader.load_file(repo, entry.checksum) as file:
        return file.header.symlink_target if file.header.is_symlink else None
