# SPDX-License-Identifier: Apache-2.0
"""Where everything goes: inodes numbered breadth first, then placed one after the other."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ostrya.formats.erofs.errors import ErofsError
from ostrya.formats.erofs.layout import (
    BLOCK_SIZE,
    COMPACT_INODE_SIZE,
    DIRENT_SIZE,
    EXTENDED_INODE_SIZE,
    INODES_OFFSET,
    MAX_CHUNKS,
    SLOT_SIZE,
    align,
    chunk_count,
)
from ostrya.formats.erofs.nodes import HardLink, Node, check_node
from ostrya.formats.erofs.overlay import overlaid_mode, overlaid_xattrs, root_whiteouts
from ostrya.formats.erofs.xattrs import XattrTable
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.formats.xattrs import Xattrs

_MAX_U16 = 0xFFFF
_MAX_U32 = 0xFFFFFFFF


class Inode:
    """A node on its way into the image.

    Attributes:
        node: What it is made of.
        mode: File type and permission bits in the image.
        nlink: How many names it has.
        size: What a stat shall say.
        xattrs: Extended attributes in the image.
        entries: Names and inodes of a directory, sorted, ``.`` and ``..`` among them.
        compact: Whether the small form of inode is enough.
        offset: Where it begins.
        body_size: Bytes of extended attributes behind it.
        tail: Bytes of data behind those.
        blocks: Data blocks elsewhere.
        first_block: The first of them.
    """

    __slots__ = (
        "blocks",
        "body_size",
        "compact",
        "entries",
        "first_block",
        "mode",
        "nlink",
        "node",
        "offset",
        "size",
        "tail",
        "xattrs",
    )

    def __init__(self, node: Node, xattrs: Xattrs) -> None:
        self.node = node
        self.mode = overlaid_mode(node)
        self.nlink = node.nlink
        self.size = 0
        self.xattrs = xattrs
        self.entries: list[tuple[bytes, Inode]] = []
        self.compact = True
        self.offset = 0
        self.body_size = 0
        self.tail = 0
        self.blocks = 0
        self.first_block = 0

    @property
    def slot(self) -> int:
        """The number by which entries refer to this inode."""
        return self.offset // SLOT_SIZE


class Plan(NamedTuple):
    """An image, as far as it has to be known before its first byte.

    Attributes:
        inodes: In the order of their numbers.
        xattrs: The shared extended attributes.
        mtime: The earliest of all.
        shared_start: Where shared extended attributes begin.
        data_start: Where data blocks begin.
        end: The size of the image.
    """

    inodes: list[Inode]
    xattrs: XattrTable
    mtime: tuple[int, int]
    shared_start: int
    data_start: int
    end: int


def make_plan(root: Node, version: int) -> Plan:
    """Place everything.

    Raises:
        ErofsError: The tree holds something that an image cannot hold.
    """
    inodes = _number(root, version)
    table = XattrTable(inode.xattrs for inode in inodes)
    mtime = min(inode.node.mtime for inode in inodes)
    position = INODES_OFFSET
    for inode in inodes:
        position = _place(inode, position, table, mtime)
    shared_start = align(position, SLOT_SIZE)
    data_start = align(shared_start + len(table.area), BLOCK_SIZE)
    block = data_start // BLOCK_SIZE
    for inode in inodes:
        if inode.blocks:
            inode.first_block = block
            block += inode.blocks
    return Plan(inodes, table, mtime, shared_start, data_start, block * BLOCK_SIZE)


def entry_blocks(inode: Inode) -> list[list[tuple[bytes, Inode]]]:
    """Return a directory's entries, split as they fill blocks."""
    blocks: list[list[tuple[bytes, Inode]]] = []
    fill = BLOCK_SIZE
    for entry in inode.entries:
        size = DIRENT_SIZE + len(entry[0])
        if fill + size > BLOCK_SIZE:
            blocks.append([])
            fill = 0
        blocks[-1].append(entry)
        fill += size
    return blocks


# -- numbering


class _Numbering:
    """A breadth-first walk: a directory's entries come when the directory's turn comes."""

    def __init__(self, version: int) -> None:
        self._version = version
        self.inodes: list[Inode] = []
        self._by_node: dict[int, Inode] = {}
        self._links: list[tuple[Inode, bytes, HardLink]] = []

    def take(self, name: bytes, node: Node, *, is_root: bool = False) -> Inode:
        check_node(name, node)
        if id(node) in self._by_node:
            raise ErofsError(f"{name!r} is in the tree twice, and is no hard link")
        return self._append(node, overlaid_xattrs(node, version=self._version, is_root=is_root))

    def _append(self, node: Node, xattrs: Xattrs) -> Inode:
        inode = Inode(node, xattrs)
        self.inodes.append(inode)
        self._by_node[id(node)] = inode
        return inode

    def enter(self, inode: Inode, parent: Inode) -> None:
        """Number a directory's children."""
        subdirs = 0
        entries = inode.entries
        for name, child in sorted(inode.node.children.items()):
            if isinstance(child, HardLink):
                self._links.append((inode, name, child))
                continue
            subdirs += child.is_dir
            entries.append((name, self.take(name, child)))
        entries += ((b".", inode), (b"..", parent))
        inode.nlink = 2 + subdirs

    def add_root_whiteouts(self) -> None:
        """Give the root its whiteouts, among its other children."""
        root = self.inodes[0]
        named = dict(root.node.children)
        whiteouts = dict(root_whiteouts(root.node))
        subdirs = 0
        for name in sorted((*named, *whiteouts)):
            child = named.get(name)
            if isinstance(child, HardLink):
                self._links.append((root, name, child))
            elif child is not None:
                subdirs += child.is_dir
                root.entries.append((name, self.take(name, child)))
            else:
                whiteout = self._append(whiteouts[name], whiteouts[name].xattrs)
                whiteout.mode = whiteouts[name].mode
                root.entries.append((name, whiteout))
        root.entries += ((b".", root), (b"..", root))
        root.nlink = 2 + subdirs

    def resolve_links(self) -> None:
        """Put hard links into their directories, now that every file has its inode."""
        for place, name, link in self._links:
            target = self._by_node.get(id(link.target))
            if target is None or link.target.is_dir:
                raise ErofsError(f"{name!r} is a hard link to no file of the tree")
            place.entries.append((name, target))


def _number(root: Node, version: int) -> list[Inode]:
    if not root.is_dir:
        raise ErofsError("the root of an image is a directory")
    walk = _Numbering(version)
    walk.take(b"", root, is_root=True)
    walk.add_root_whiteouts()
    parents = {id(root): walk.inodes[0]}
    for inode in walk.inodes:
        if inode.node.is_dir:
            if inode is not walk.inodes[0]:
                walk.enter(inode, parents[id(inode.node)])
            for child in inode.node.children.values():
                if not isinstance(child, HardLink) and child.is_dir:
                    parents[id(child)] = inode
    walk.resolve_links()
    for inode in walk.inodes:
        inode.entries.sort(key=_entry_name)
    return walk.inodes


def _entry_name(entry: tuple[bytes, Inode]) -> bytes:
    return entry[0]


# -- placing


def _place(inode: Inode, position: int, table: XattrTable, mtime: tuple[int, int]) -> int:
    """Place one inode at or after a position, and return where it ends."""
    _measure(inode)
    inode.compact = _fits_compact(inode, mtime)
    inode.body_size = table.body_size(inode.xattrs)
    head = (COMPACT_INODE_SIZE if inode.compact else EXTENDED_INODE_SIZE) + inode.body_size
    position = align(position, SLOT_SIZE)
    place = _place_link if stat.S_ISLNK(inode.mode) else _place_tail
    inode.offset = place(inode, position, head)
    return inode.offset + head + inode.tail


def _measure(inode: Inode) -> None:
    """Say how much data there is, in blocks and in the tail."""
    node = inode.node
    if node.is_dir:
        filled = entry_blocks(inode)
        last = sum(DIRENT_SIZE + len(name) for name, _ in filled[-1])
        # The end of a directory stands beside its inode only if it fills half a block at most.
        inline = last <= BLOCK_SIZE // 2
        inode.blocks = len(filled) - inline
        inode.tail = last if inline else 0
        inode.size = inode.blocks * BLOCK_SIZE + inode.tail
    elif stat.S_ISLNK(node.mode):
        inode.tail = inode.size = len(node.payload)
    elif node.content:
        inode.size = node.size
        inode.blocks, inode.tail = divmod(node.size, BLOCK_SIZE)
        if inode.tail > BLOCK_SIZE // 2:
            inode.blocks, inode.tail = inode.blocks + 1, 0
    elif node.has_backing_file:
        inode.size = node.size
        chunks = chunk_count(node.size)
        if chunks > MAX_CHUNKS:
            raise ErofsError(f"a file of {node.size} bytes is too large for an image")
        inode.tail = 4 * chunks


def _fits_compact(inode: Inode, mtime: tuple[int, int]) -> bool:
    node = inode.node
    size = inode.size if node.is_dir or stat.S_ISLNK(node.mode) else node.size
    return (
        node.mtime == mtime
        and inode.nlink <= _MAX_U16
        and node.uid <= _MAX_U16
        and node.gid <= _MAX_U16
        and size <= _MAX_U32
    )


def _place_link(inode: Inode, position: int, head: int) -> int:
    """Keep a symbolic link's inode and target in one block, or the target in a block of its own."""
    total = head + inode.tail
    crosses = position // BLOCK_SIZE != (position + total - 1) // BLOCK_SIZE
    if total >= BLOCK_SIZE:
        inode.blocks, inode.tail = 1, 0
    return align(position, BLOCK_SIZE) if crosses else position


def _place_tail(inode: Inode, position: int, head: int) -> int:
    """Move an inode on until its tail lies within one block."""
    room = BLOCK_SIZE - (position + head) % BLOCK_SIZE
    if room >= inode.tail:
        return position
    moved = position + align(room, SLOT_SIZE)
    if inode.tail <= BLOCK_SIZE - (moved + head) % BLOCK_SIZE:
        return moved
    inode.blocks, inode.tail = inode.blocks + 1, 0
    return align(position, BLOCK_SIZE)
