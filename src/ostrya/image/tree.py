# SPDX-License-Identifier: Apache-2.0
"""Changing a tree before it is committed: paths, not objects.

Nothing is unpacked: what is moved keeps its object. Paths are relative to the root and name what is
really there; links on the way are not followed.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.file_header import FileHeader
from ostrya.formats.object_name import ObjectType
from ostrya.image.errors import SourceError
from ostrya.repo.reader import load_file
from ostrya.tree.mutable_tree import MutableTree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.transaction import Transaction

MAX_TEXT_BYTES = 16 << 20


class TreeEditor:
    """A tree that is being changed.

    Attributes:
        tx: Where new objects are written.
        root: The tree.
    """

    def __init__(self, tx: Transaction, root: MutableTree) -> None:
        self.tx = tx
        self.root = root

    # -- looking

    def find(self, path: str) -> MutableTree | Checksum | None:
        """Return a directory, the content of a file or link, or None."""
        names = _names(path)
        if not names:
            return self.root
        parent = self.root.walk(names[:-1])
        if parent is None:
            return None
        found = parent.dirs().get(names[-1])
        return parent.files().get(names[-1]) if found is None else found

    def find_dir(self, path: str) -> MutableTree | None:
        """Return a directory; None if there is none."""
        found = self.find(path)
        return found if isinstance(found, MutableTree) else None

    def names(self, path: str) -> list[str]:
        """List a directory by name; empty if it is none."""
        found = self.find_dir(path)
        return [] if found is None else sorted([*found.files(), *found.dirs()])

    def header(self, path: str) -> FileHeader | None:
        """Return what is known of a file or link; None if there is none."""
        found = self.find(path)
        if found is None or isinstance(found, MutableTree):
            return None
        with load_file(self.tx.repo, found) as file:
            return file.header

    def link_target(self, path: str) -> str | None:
        """Return where a link leads; None if there is none."""
        header = self.header(path)
        return header.symlink_target if header is not None and header.is_symlink else None

    def is_file(self, path: str) -> bool:
        """Say whether there is a regular file."""
        header = self.header(path)
        return header is not None and not header.is_symlink

    def read(self, path: str, *, max_bytes: int = MAX_TEXT_BYTES) -> bytes:
        """Read a file.

        Raises:
            SourceError: There is none, or it is too large for what it should be.
        """
        found = self.find(path)
        if found is None or isinstance(found, MutableTree):
            raise SourceError(f"the root file system has no file /{path}")
        with load_file(self.tx.repo, found) as file:
            if file.size > max_bytes:
                raise SourceError(f"/{path} is too large")
            return bytes(file.read())

    def files_below(self, path: str) -> Iterator[str]:
        """Yield the paths of all files and links below a directory."""
        for name in self.names(path):
            below = f"{path}/{name}" if path else name
            if self.find_dir(below) is None:
                yield below
            else:
                yield from self.files_below(below)

    # -- changing

    def make_dir(self, path: str, mode: int = 0o755) -> MutableTree:
        """Return a directory, made with those above it if need be; what is there stays as it is.

        Raises:
            TreeConflict: There is a file.
        """
        tree = self._own(self.root, 0o755)
        names = _names(path)
        for at, name in enumerate(names):
            tree = self._own(tree.ensure_dir(name), mode if at == len(names) - 1 else 0o755)
        return tree

    def _own(self, tree: MutableTree, mode: int) -> MutableTree:
        if tree.metadata_checksum is None:
            tree.set_metadata_checksum(self._write_dirmeta(DirMeta(0, 0, stat.S_IFDIR | mode)))
        return tree

    def _write_dirmeta(self, dirmeta: DirMeta) -> Checksum:
        return self.tx.writer.write_metadata(ObjectType.DIR_META, dirmeta.encode())

    def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Write a file of root's."""
        content = self.tx.writer.write_data(FileHeader(0, 0, stat.S_IFREG | mode), data)
        self._put(path, content)

    def rewrite(self, path: str, data: bytes) -> None:
        """Replace what is in a file; owner, mode and attributes stay."""
        header = self.header(path)
        if header is None or header.is_symlink:
            self.write(path, data)
            return
        self._put(path, self.tx.writer.write_data(header, data))

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link."""
        header = FileHeader(0, 0, stat.S_IFLNK | 0o777, target)
        self._put(path, self.tx.writer.write_symlink(header))

    def relink(self, path: str, target: str) -> None:
        """Let a symbolic link lead elsewhere; owner and attributes stay.

        Raises:
            SourceError: There is no link.
        """
        header = self.header(path)
        if header is None or not header.is_symlink:
            raise SourceError(f"the root file system has no link /{path}")
        self._put(path, self.tx.writer.write_symlink(header._replace(symlink_target=target)))

    def _put(self, path: str, content: Checksum) -> None:
        parent, _, name = path.rpartition("/")
        self.make_dir(parent).replace_file(name, content)

    def copy(self, source: str, target: str) -> None:
        """Give a file another name too, in place of what may be there.

        Raises:
            SourceError: There is no such file.
        """
        found = self.find(source)
        if found is None or isinstance(found, MutableTree):
            raise SourceError(f"the root file system has no file /{source}")
        self.remove(target)
        self._put(target, found)

    def remove(self, path: str) -> bool:
        """Remove a file or a directory with all in it; say whether it was there."""
        parent, _, name = path.rpartition("/")
        folder = self.find_dir(parent)
        return folder is not None and folder.remove(name)

    def empty(self, path: str) -> list[str]:
        """Remove what is in a directory; return the names."""
        folder = self.find_dir(path)
        names = self.names(path)
        for name in names:
            if folder is not None:
                folder.remove(name)
        return names

    def move(self, source: str, target: str) -> list[str]:
        """Move a file or a directory; directories are merged.

        Returns:
            Paths at the target that are other files than those to be moved there; they stay, and
            so do those.
        """
        found = self.find(source)
        if found is None:
            return []
        if not isinstance(found, MutableTree):
            return self._move_file(source, found, target)
        if self._leads_to(target, source):
            # What is there only led here.
            self.remove(target)
        there = self.find(target)
        if there is None:
            self._graft(found, target)
            self.remove(source)
            return []
        if not isinstance(there, MutableTree):
            return [target]
        conflicts = []
        for name in self.names(source):
            conflicts += self.move(f"{source}/{name}", f"{target}/{name}")
        if not conflicts:
            self.remove(source)
        return conflicts

    def _graft(self, tree: MutableTree, target: str) -> None:
        """Put a directory in a place where there is none, as it is."""
        place = self.make_dir(target)
        if tree.metadata_checksum is not None:
            place.set_metadata_checksum(tree.metadata_checksum)
        for name, content in tree.files().items():
            place.replace_file(name, content)
        for name, child in tree.dirs().items():
            self._graft(child, f"{target}/{name}")

    def _move_file(self, source: str, content: Checksum, target: str) -> list[str]:
        there = self.find(target)
        if there is None:
            self._put(target, content)
        elif there != content and not self._leads_to(source, target):
            if not self._leads_to(target, source):
                return [target]
            # What is there only led here.
            self.remove(target)
            self._put(target, content)
        self.remove(source)
        return []

    def _leads_to(self, link: str, path: str) -> bool:
        """Say whether a link leads to a path, written in one of the ways that it can be."""
        target = self.link_target(link)
        if target is None:
            return False
        if target.startswith("/"):
            return _names(target) == _names(path)
        return _joined(link.rpartition("/")[0], target) == _names(path)


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name not in {"", "."}]


def _joined(folder: str, target: str) -> list[str]:
    names = _names(folder)
    for name in _names(target):
        if name == "..":
            del names[-1:]
        else:
            names.append(name)
    return names
