# SPDX-License-Identifier: Apache-2.0
"""A directory becomes items of a btrfs, and pieces of content with their places."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya.image.errors import OutputError
from ostrya.image.filesystem import ROOTS, Inode
from ostrya.image.outputs.btrfs import items
from ostrya.image.outputs.btrfs.chunks import data_allocator
from ostrya.image.outputs.sysroot_tar import shared_inodes, walk_sorted
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.image.outputs.btrfs.chunks import Allocator
    from ostrya.image.outputs.btrfs.trees import Item

MOST_INLINE = 2048
_KINDS = {
    stat.S_IFREG: items.KIND_FILE, stat.S_IFDIR: items.KIND_DIR, stat.S_IFLNK: items.KIND_LINK,
}  # fmt: skip


class Piece(NamedTuple):
    """A part of a file's content.

    Attributes:
        path: Of the file on this machine.
        offset: Where it begins in the file.
        start: Its place.
        size: How large its place is: whole sectors.
        owner: The inode.
    """

    path: str
    offset: int
    start: int
    size: int
    owner: int


class Scanned(NamedTuple):
    """What is in a file system.

    Attributes:
        items: Of its tree, in the order of their keys.
        pieces: Of content, in the order of their places.
        data_end: Where that ends.
    """

    items: list[Item]
    pieces: list[Piece]
    data_end: int


class _File:
    """An inode that is being put together."""

    __slots__ = ("children", "found", "links", "number", "path", "wanted")

    def __init__(self, number: int, path: str, found: os.stat_result, wanted: Inode) -> None:
        self.number, self.path, self.found, self.wanted = number, path, found, wanted
        self.links = 0
        self.children: list[tuple[bytes, int, int]] = []


def scan(tree: str, inodes: Mapping[str, Inode], timestamp: int) -> Scanned:
    """Look at a directory.

    Args:
        tree: The directory.
        inodes: By path below it, what is to be like what; all else is root's.
        timestamp: When the file system is made, in seconds since 1970 UTC.

    Raises:
        OutputError: There is something in it that is no file, directory or link; a file has too
            many names in one directory.
        OSError: Something cannot be read.
    """
    return _Scan(tree, inodes, timestamp).run()


class _Scan:
    def __init__(self, tree: str, inodes: Mapping[str, Inode], timestamp: int) -> None:
        self._tree, self._inodes, self._timestamp = tree, inodes, timestamp
        self._shared = shared_inodes(tree, inodes)
        self._files: dict[tuple[int, int], _File] = {}
        self._refs: dict[tuple[int, int], bytes] = {}

    def run(self) -> Scanned:
        folders: dict[str, _File] = {}
        for path, found in walk_sorted(self._tree):
            file = self._file(path, found)
            parent, _, name = path.rpartition("/")
            if path:
                self._name(folders[parent], file, os.fsencode(name))
            if stat.S_ISDIR(found.st_mode):
                folders[path] = file
        allocator = data_allocator()
        found_items: list[Item] = []
        pieces: list[Piece] = []
        for file in self._files.values():
            content = self._content(file, allocator, pieces)
            found_items += self._items(file, content)
        found_items += [
            ((number, items.INODE_REF, parent), data)
            for (number, parent), data in self._refs.items()
        ]
        found_items.sort(key=lambda item: item[0])
        return Scanned(found_items, pieces, allocator.end)

    def _file(self, path: str, found: os.stat_result) -> _File:
        identity = (found.st_dev, found.st_ino)
        file = self._files.get(identity)
        if file is None:
            if stat.S_IFMT(found.st_mode) not in _KINDS:
                raise OutputError(f"{os.path.join(self._tree, path)} is no file, directory or link")
            wanted = self._inodes.get(path) or self._shared.get(identity) or ROOTS
            number = items.FIRST_INODE + len(self._files)
            file = self._files[identity] = _File(number, path, found, wanted)
            if not path:
                file.links = 1
                self._refs[number, number] = items.inode_ref(0, b"..")
        return file

    def _name(self, folder: _File, file: _File, name: bytes) -> None:
        index = 2 + len(folder.children)
        kind = _KINDS[stat.S_IFMT(file.found.st_mode)]
        folder.children.append((name, file.number, kind))
        file.links += 1
        key = (file.number, folder.number)
        self._refs[key] = self._refs.get(key, b"") + items.inode_ref(index, name)

    def _items(self, file: _File, content: list[Item]) -> list[Item]:
        """Return all items of an inode but its names."""
        number, found, wanted = file.number, file.found, file.wanted
        names: dict[int, bytes] = {}
        result: list[Item] = []
        for index, (name, child, kind) in enumerate(file.children, 2):
            entry = items.dir_entry((child, items.INODE_ITEM, 0), kind, name)
            hashed = items.name_hash(name)
            names[hashed] = names.get(hashed, b"") + entry
            result.append(((number, items.DIR_INDEX, index), entry))
        result += [((number, items.DIR_ITEM, key), data) for key, data in names.items()]
        attributes: dict[int, bytes] = {}
        for name, value in wanted.xattrs:
            hashed = items.name_hash(name)
            entry = items.dir_entry((0, 0, 0), items.KIND_XATTR, name, value)
            attributes[hashed] = attributes.get(hashed, b"") + entry
        result += [((number, items.XATTR_ITEM, key), data) for key, data in attributes.items()]
        size = found.st_size
        if stat.S_ISDIR(found.st_mode):
            size = 2 * sum(len(name) for name, _, _ in file.children)
        mode = stat.S_IMODE(found.st_mode if wanted.mode is None else wanted.mode)
        facts = items.InodeFacts(
            size,
            _taken(content),
            file.links,
            wanted.uid,
            wanted.gid,
            stat.S_IFMT(found.st_mode) | mode,
            items.IMMUTABLE if wanted.immutable else 0,
            max(0, int(found.st_mtime)),
            self._timestamp,
        )
        return [((number, items.INODE_ITEM, 0), items.inode(facts)), *result, *content]

    def _content(self, file: _File, allocator: Allocator, pieces: list[Piece]) -> list[Item]:
        path = os.path.join(self._tree, file.path)
        size = file.found.st_size
        key = (file.number, items.EXTENT_DATA, 0)
        if stat.S_ISLNK(file.found.st_mode):
            return [(key, items.inline_extent(os.fsencode(os.readlink(path))))]
        if not stat.S_ISREG(file.found.st_mode) or not size:
            return []
        if size <= MOST_INLINE:
            with open(path, "rb") as stream:
                data = stream.read(MOST_INLINE + 1)
            if len(data) != size:
                raise OutputError(f"{path} changed while it was read")
            return [(key, items.inline_extent(data))]
        found: list[Item] = []
        offset = 0
        for start, taken in allocator.take(-(-size // items.SECTOR) * items.SECTOR):
            pieces.append(Piece(path, offset, start, taken, file.number))
            extent = items.regular_extent(start, taken)
            found.append(((file.number, items.EXTENT_DATA, offset), extent))
            offset += taken
        return found


_INLINE_HEAD = len(items.inline_extent(b""))
_REGULAR_BYTES = len(items.regular_extent(0, 0))


def _taken(content: list[Item]) -> int:
    """Return how many bytes content takes, as an inode counts them."""
    total = 0
    for _, data in content:
        is_inline = data[_INLINE_HEAD - 1] == 0
        size = int.from_bytes(data[8:16], "little")
        total += len(data) - _INLINE_HEAD if is_inline else size
    return total
