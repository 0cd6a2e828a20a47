# SPDX-License-Identifier: Apache-2.0
"""The structures of an EROFS image, as far as composefs uses them. All integers little-endian.

::

    0        composefs header, 32 bytes; zeros to 1024
    1024     superblock, 128 bytes
    1152     inodes in the order of their numbers, each at a multiple of 32: a slot
    …        shared extended attributes; zeros to a multiple of 4096
    …        data blocks: of directories and of content that does not fit beside its inode

    composefs header                          superblock
    0   4   magic, d078629a                   0   4   magic, e0f5e1e2
    4   4   version: 1                        8   4   features: 2 mtime, 4 xattr filter
    8   4   flags: 1, some file has an ACL    12  1   logarithm of the block size: 12
    12  4   format version: 0, or 1 if the    14  2   slot of the root's inode
            tree has whiteouts                16  8   number of inodes
                                              24  8   earliest mtime: seconds
                                              32  4   earliest mtime: nanoseconds
                                              36  4   number of blocks
                                              40  4   block where slots begin to count: 0
                                              44  4   block of the shared attributes' start

    inode, 32 bytes                           inode, 64 bytes
    0   2   format: 0 | layout << 1           0   2   format: 1 | layout << 1
    2   2   size of the attributes            2   2   size of the attributes
    4   2   mode                              4   2   mode
    6   2   number of names                   8   8   size
    8   4   size                              16  4   block, device, or chunk size
    16  4   block, device, or chunk size      20  4   number of the inode
    20  4   number of the inode               24  4   owner
    24  2   owner                             28  4   group
    26  2   group                             32  8   mtime: seconds
                                              40  4   mtime: nanoseconds
                                              44  4   number of names

    After the inode stand its attributes, then its tail: the end of a directory or of content,
    a link target, or, for a backing file, one ffffffff per chunk (a hole). A tail lies within
    one block. The small inode serves files of the earliest mtime, if all fits. Size of the
    attributes: 0, or 1 + (bytes - 12) / 4. Layouts: 0 blocks only, 2 blocks and tail, 4 chunks.

    entry of a directory, 12 bytes; a block holds its entries, then their names, end to end
    0   8   slot of the inode
    8   2   offset of the name in the block
    10  1   file type: 1 regular, 2 directory, 3 char, 4 block, 5 fifo, 6 socket, 7 symlink

Source: the kernel's fs/erofs documentation (core_ondisk), composefs.
"""

from __future__ import annotations

import stat
from struct import Struct

BLOCK_SIZE = 4096
BLOCK_BITS = 12
SLOT_SIZE = 32
SUPERBLOCK_OFFSET = 1024
INODES_OFFSET = 1152
COMPACT_INODE_SIZE = 32
EXTENDED_INODE_SIZE = 64
DIRENT_SIZE = 12

LAYOUT_PLAIN = 0
LAYOUT_INLINE = 2
LAYOUT_CHUNKS = 4

HAS_ACL = 1
MAX_CHUNKS = 1024
# A chunk is at most this much larger than a block, as a logarithm.
MAX_CHUNK_BITS = 31
HOLE = b"\xff\xff\xff\xff"

FILE_TYPES = {
    stat.S_IFREG: 1,
    stat.S_IFDIR: 2,
    stat.S_IFCHR: 3,
    stat.S_IFBLK: 4,
    stat.S_IFIFO: 5,
    stat.S_IFSOCK: 6,
    stat.S_IFLNK: 7,
}

COMPACT_INODE = Struct("<HHHHIIIIHHI")
EXTENDED_INODE = Struct("<HHHHQIIIIQII16x")
DIRENT = Struct("<QHBx")
_HEADER = Struct("<IIII16x")
_SUPERBLOCK = Struct("<IIIBBHQQIIII80x")
_HEADER_MAGIC = 0xD078629A
_HEADER_VERSION = 1
_MAGIC = 0xE0F5E1E2
_FEATURES = 0x2 | 0x4


def encode_head(  # noqa: PLR0913  # fields of the superblock, by keyword
    *,
    version: int,
    has_acl: bool,
    root_slot: int,
    inodes: int,
    mtime: tuple[int, int],
    blocks: int,
    shared_block: int,
) -> bytes:
    """Return what stands before the inodes."""
    header = _HEADER.pack(_HEADER_MAGIC, _HEADER_VERSION, HAS_ACL if has_acl else 0, version)
    seconds, nanoseconds = mtime
    superblock = _SUPERBLOCK.pack(
        _MAGIC,
        0,
        _FEATURES,
        BLOCK_BITS,
        0,
        root_slot,
        inodes,
        seconds & 0xFFFFFFFFFFFFFFFF,
        nanoseconds,
        blocks,
        0,
        shared_block,
    )
    return header.ljust(SUPERBLOCK_OFFSET, b"\0") + superblock


def chunk_bits(size: int) -> int:
    """Return the logarithm of the chunk size for content of so many bytes, over the block's."""
    return min(max((size - 1).bit_length() - BLOCK_BITS, 0), MAX_CHUNK_BITS)


def chunk_count(size: int) -> int:
    """Return how many chunks content of so many bytes has."""
    return -(-size >> chunk_bits(size) + BLOCK_BITS)


def align(position: int, to: int) -> int:
    """Return the next multiple of a size."""
    return position + -position % to
