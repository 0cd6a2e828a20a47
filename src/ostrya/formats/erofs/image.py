# SPDX-License-Identifier: Apache-2.0
"""A tree as the bytes of a composefs image, one after the other.

The same tree gives the same bytes as libcomposefs's, so that an image can be named by its
fs-verity digest before it is made. See ``layout`` for the structures.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ostrya.formats.erofs.layout import (
    BLOCK_SIZE,
    COMPACT_INODE,
    DIRENT,
    DIRENT_SIZE,
    EXTENDED_INODE,
    FILE_TYPES,
    HOLE,
    INODES_OFFSET,
    LAYOUT_CHUNKS,
    LAYOUT_INLINE,
    LAYOUT_PLAIN,
    MAX_CHUNKS,
    align,
    chunk_bits,
    encode_head,
)
from ostrya.formats.erofs.overlay import format_version
from ostrya.formats.erofs.plan import Inode, Plan, entry_blocks, make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.erofs.nodes import Node

_ACL_NAMES = frozenset((b"system.posix_acl_access", b"system.posix_acl_default"))
_PIECE_BYTES = 64 * 1024


def iter_image(root: Node, *, version: int | None = None) -> Iterator[bytes]:
    """Yield the image of a tree in pieces.

    Args:
        root: The root directory.
        version: Version of the composefs format; by default the lowest that the tree needs.

    Raises:
        ErofsError: The tree holds something that an image cannot hold.
    """
    if version is None:
        version = format_version(root)
    plan = make_plan(root, version)
    return _gather(_iter_parts(plan, version))


def encode_image(root: Node, *, version: int | None = None) -> bytes:
    """Return the image of a tree.

    Raises:
        ErofsError: The tree holds something that an image cannot hold.
    """
    return b"".join(iter_image(root, version=version))


def _gather(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Join small parts into pieces worth a write."""
    pending = bytearray()
    for part in parts:
        pending += part
        if len(pending) >= _PIECE_BYTES:
            yield bytes(pending)
            pending.clear()
    yield bytes(pending)


def _iter_parts(plan: Plan, version: int) -> Iterator[bytes]:
    inodes = plan.inodes
    yield encode_head(
        version=version,
        has_acl=any(name in _ACL_NAMES for inode in inodes for name, _ in inode.xattrs),
        root_slot=inodes[0].slot,
        inodes=len(inodes),
        mtime=plan.mtime,
        blocks=plan.end // BLOCK_SIZE,
        shared_block=plan.shared_start // BLOCK_SIZE,
    )
    position = INODES_OFFSET
    for number, inode in enumerate(inodes):
        yield bytes(inode.offset - position)
        encoded = _encode_inode(inode, number, plan)
        position = inode.offset + len(encoded)
        yield encoded
    yield bytes(plan.shared_start - position)
    yield plan.xattrs.area
    yield bytes(plan.data_start - plan.shared_start - len(plan.xattrs.area))
    for inode in inodes:
        if inode.blocks:
            yield from _iter_blocks(inode)


def _encode_inode(inode: Inode, number: int, plan: Plan) -> bytes:
    """Return an inode with what stands behind it."""
    node = inode.node
    icount = 1 + (inode.body_size - 12) // 4 if inode.body_size else 0
    layout = _data_layout(inode)
    where = inode.first_block
    if layout == LAYOUT_CHUNKS:
        where = chunk_bits(node.size)
    elif stat.S_ISCHR(inode.mode) or stat.S_ISBLK(inode.mode):
        where = node.rdev & 0xFFFFFFFF
    if inode.compact:
        head = COMPACT_INODE.pack(
            layout << 1,
            icount,
            inode.mode & 0xFFFF,
            inode.nlink,
            inode.size,
            0,
            where,
            number,
            node.uid,
            node.gid,
            0,
        )
    else:
        seconds, nanoseconds = node.mtime
        head = EXTENDED_INODE.pack(
            layout << 1 | 1,
            icount,
            inode.mode & 0xFFFF,
            0,
            inode.size,
            where,
            number,
            node.uid,
            node.gid,
            seconds & 0xFFFFFFFFFFFFFFFF,
            nanoseconds,
            inode.nlink,
        )
    body = plan.xattrs.encode_body(inode.xattrs, plan.shared_start)
    return head + body + _encode_tail(inode)


def _data_layout(inode: Inode) -> int:
    if inode.node.has_backing_file:
        return LAYOUT_CHUNKS
    return LAYOUT_INLINE if inode.tail else LAYOUT_PLAIN


def _encode_tail(inode: Inode) -> bytes:
    if not inode.tail:
        return b""
    node = inode.node
    if node.is_dir:
        return _encode_entries(entry_blocks(inode)[-1])
    if stat.S_ISLNK(node.mode):
        return node.payload
    if node.content:
        return node.content[-inode.tail :]
    return HOLE * (inode.tail // 4)


def _iter_blocks(inode: Inode) -> Iterator[bytes]:
    """Yield the data that does not stand beside its inode, in whole blocks."""
    node = inode.node
    if node.is_dir:
        for entries in entry_blocks(inode)[: inode.blocks]:
            yield _encode_entries(entries).ljust(BLOCK_SIZE, b"\0")
        return
    if stat.S_ISLNK(node.mode):
        data = node.payload
    elif node.content:
        data = node.content[: inode.blocks * BLOCK_SIZE]
    else:
        data = HOLE * MAX_CHUNKS
    yield data.ljust(align(len(data), BLOCK_SIZE), b"\0")


def _encode_entries(entries: list[tuple[bytes, Inode]]) -> bytes:
    """Return a block's worth of a directory: entries, then names."""
    names = [name for name, _ in entries]
    offset = DIRENT_SIZE * len(entries)
    block = bytearray()
    for name, inode in entries:
        block += DIRENT.pack(inode.slot, offset, FILE_TYPES[stat.S_IFMT(inode.mode)])
        offset += len(name)
    return bytes(block) + b"".join(names)
