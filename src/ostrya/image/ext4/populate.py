# SPDX-License-Identifier: Apache-2.0
"""A directory becomes what is in an ext4."""

from __future__ import annotations

import os
import stat
import struct
from typing import TYPE_CHECKING

from ostrya._linux.reflink import copy_range
from ostrya.image.errors import SourceError
from ostrya.image.ext4.attributes import encode_block, encode_in_inode, split_attributes
from ostrya.image.ext4.structures import (
    BLOCK_BYTES,
    EXTENTS,
    FAST_LINK_BYTES,
    IMMUTABLE,
    INODE_BYTES,
    MOST_EXTENT_BLOCKS,
    ROOT_INODE,
    InodeFacts,
    Run,
    count_extent_blocks,
    count_extents,
    directory_blocks,
    encode_extents,
    encode_inode,
    inode_seed,
)
from ostrya.image.ext4.volume import Volume
from ostrya.image.ext4.wanted import ROOTS
from ostrya.workers import map_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ostrya.image.ext4.wanted import Inode

# A path, its size, and runs of blocks: where each begins, and how long it is.
_Copy = tuple[str, int, list[tuple[int, ...]]]
_BATCH = 128
_LOST_FOUND = ("lost+found", 11, stat.S_IFDIR)
_KINDS = (stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK)
# Of an inode: where its extents are, and of these the place of the first.
_BODY_AT, _FIRST_EXTENT_AT = 0x28, 12


class _Node:
    """A file, link or directory with one inode, however many names it has."""

    __slots__ = ("children", "found", "links", "number", "parent", "path")

    def __init__(self, path: str, found: os.stat_result, number: int, parent: int) -> None:
        self.path = path
        self.found = found
        self.number = number
        self.parent = parent
        self.links = 1
        self.children: list[tuple[str, int, int]] = []


def populate(fd: int, tree: str, inodes: Mapping[str, Inode], timestamp: int) -> None:
    """Put a directory into a file system in which there is nothing yet.

    Args:
        fd: The file that it is in, from its beginning.
        tree: The directory.
        inodes: What is to be like what, by path below it, empty for itself; all else is root's. Of
            a file with several names, one of them says it.
        timestamp: Of all times that are not those of contents.

    Raises:
        LayoutError: It does not fit.
        SourceError: Something cannot be in it.
        OSError: Something cannot be read or written.
    """
    _Populating(fd, tree, inodes, timestamp).run()


class _Populating:
    def __init__(self, fd: int, tree: str, inodes: Mapping[str, Inode], timestamp: int) -> None:
        self._fd = fd
        self._tree = tree
        self._inodes = inodes
        self._timestamp = timestamp
        self._volume = Volume(fd)
        # Inodes follow one another: they are written together.
        self._pending, self._pending_at = bytearray(), -1
        self._to_copy: list[_Copy] = []

    def run(self) -> None:
        # Contents are copied by others, while it is written here what they belong to.
        for _ in map_batches(self._make_copier, self._copies(self._walk())):
            pass
        self._flush()
        self._volume.finish()

    def _copies(self, nodes: list[_Node]) -> Iterator[list[_Copy]]:
        """Write all but contents; yield which of these go where."""
        for node in nodes:
            try:
                self._write(node)
            except SourceError as exc:
                exc.put_first(f"/{node.path}")
                raise
            if len(self._to_copy) >= _BATCH:
                yield self._to_copy
                self._to_copy = []
        if self._to_copy:
            yield self._to_copy

    def _make_copier(self) -> Callable[[list[_Copy]], None]:
        def copy_all(batch: list[_Copy]) -> None:
            for path, size, runs in batch:
                self._copy(path, size, runs)

        return copy_all

    def _walk(self) -> list[_Node]:
        """Give everything its number, directories before what is in them, by name."""
        root = _Node("", os.lstat(self._tree), ROOT_INODE, ROOT_INODE)
        root.links += 1
        nodes, pending = [root], [root]
        seen: dict[tuple[int, int], _Node] = {}
        while pending:
            folder = pending.pop()
            self._volume.count_directory(folder.number)
            below = []
            with os.scandir(f"{self._tree}/{folder.path}" if folder.path else self._tree) as found:
                entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
            for entry in entries:
                if folder is root and entry.name == _LOST_FOUND[0]:
                    continue
                path = f"{folder.path}/{entry.name}" if folder.path else entry.name
                facts = entry.stat(follow_symlinks=False)
                if stat.S_IFMT(facts.st_mode) not in _KINDS:
                    raise SourceError(f"/{path}: it is neither a file nor a link nor a directory")
                node = seen.get((facts.st_dev, facts.st_ino))
                if node is None:
                    node = _Node(path, facts, self._volume.new_inode(), folder.number)
                    nodes.append(node)
                    if stat.S_ISDIR(facts.st_mode):
                        node.links = 2
                        folder.links += 1
                        below.append(node)
                    elif facts.st_nlink > 1:
                        seen[facts.st_dev, facts.st_ino] = node
                else:
                    node.links += 1
                    if path in self._inodes:
                        node.path = path
                folder.children.append((entry.name, node.number, facts.st_mode))
            pending += reversed(below)
        root.children = sorted(
            [*root.children, _LOST_FOUND], key=lambda child: os.fsencode(child[0])
        )
        root.links += 1
        return nodes

    # -- one thing

    def _write(self, node: _Node) -> None:
        kind = stat.S_IFMT(node.found.st_mode)
        seed = inode_seed(self._volume.seed, node.number)
        if kind == stat.S_IFDIR:
            size, body, blocks, flags = self._directory(node, seed)
        elif kind == stat.S_IFREG:
            size, body, blocks, flags = self._file(node, seed)
        else:
            size, body, blocks, flags = self._link(node, seed)
        wanted = self._inodes.get(node.path, ROOTS)
        inside, outside = split_attributes(wanted.xattrs)
        attribute_block = 0
        if outside:
            attribute_block = self._volume.allocate(1)[0].first
            data = encode_block(outside, attribute_block, self._volume.seed)
            os.pwrite(self._fd, data, attribute_block * BLOCK_BYTES)
            blocks += 1
        mode = stat.S_IMODE(node.found.st_mode if wanted.mode is None else wanted.mode)
        facts = InodeFacts(
            kind | mode,
            wanted.uid,
            wanted.gid,
            size,
            node.links,
            blocks,
            flags | (IMMUTABLE if wanted.immutable else 0),
            node.found.st_mtime_ns,
            self._timestamp,
            body,
            encode_in_inode(inside),
            attribute_block,
        )
        self._put(node.number, encode_inode(facts, seed))

    def _put(self, number: int, data: bytes) -> None:
        place = self._volume.inode_place(number)
        if place != self._pending_at + len(self._pending):
            self._flush()
            self._pending_at = place
        self._pending += data

    def _flush(self) -> None:
        if self._pending:
            os.pwrite(self._fd, self._pending, self._pending_at)
            self._pending.clear()

    def _directory(self, node: _Node, seed: int) -> tuple[int, bytes, int, int]:
        found = list(directory_blocks(node.children, node.number, node.parent, seed))
        runs = [Run(self._root_block(), 1)] if node.number == ROOT_INODE else []
        rest = len(found) - len(runs)
        if rest:
            runs += self._volume.allocate(rest)
        data, at = b"".join(found), 0
        for run in runs:
            size = run.length * BLOCK_BYTES
            os.pwrite(self._fd, data[at : at + size], run.first * BLOCK_BYTES)
            at += size
        body, blocks = self._extents(runs, seed)
        return len(data), body, len(found) + blocks, EXTENTS

    def _root_block(self) -> int:
        """Return where the root directory is already."""
        place = self._volume.inode_place(ROOT_INODE)
        inode = os.pread(self._fd, INODE_BYTES, place)
        _, _, high, low = struct.unpack_from("<IHHI", inode, _BODY_AT + _FIRST_EXTENT_AT)
        return int(low | high << 32)

    def _file(self, node: _Node, seed: int) -> tuple[int, bytes, int, int]:
        size = node.found.st_size
        count = -(-size // BLOCK_BYTES)
        runs = self._volume.allocate(count) if count else []
        if count:
            self._to_copy.append((node.path, size, [tuple(run) for run in runs]))
        body, blocks = self._extents(runs, seed)
        return size, body, count + blocks, EXTENTS

    def _copy(self, path: str, size: int, runs: list[tuple[int, ...]]) -> None:
        fd = os.open(f"{self._tree}/{path}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            at = 0
            for first, length in runs:
                part = min(size - at, length * BLOCK_BYTES)
                copy_range(fd, self._fd, part, first * BLOCK_BYTES, at=at)
                at += part
        finally:
            os.close(fd)

    def _link(self, node: _Node, seed: int) -> tuple[int, bytes, int, int]:
        target = os.fsencode(os.readlink(f"{self._tree}/{node.path}"))
        if len(target) <= FAST_LINK_BYTES:
            return len(target), target.ljust(60, b"\0"), 0, 0
        if len(target) >= BLOCK_BYTES:
            raise SourceError("its target is too long")
        runs = self._volume.allocate(1)
        os.pwrite(self._fd, target, runs[0].first * BLOCK_BYTES)
        body, blocks = self._extents(runs, seed)
        return len(target), body, 1 + blocks, EXTENTS

    def _extents(self, runs: list[Run], seed: int) -> tuple[bytes, int]:
        needed = count_extent_blocks(count_extents(runs))
        if needed > MOST_EXTENT_BLOCKS:
            raise SourceError("it is in too many pieces")
        places = [
            run.first + at for run in self._volume.allocate(needed) for at in range(run.length)
        ]
        body, leaves = encode_extents(runs, places, seed)
        for place, leaf in zip(places, leaves, strict=True):
            os.pwrite(self._fd, leaf, place * BLOCK_BYTES)
        return body, needed
