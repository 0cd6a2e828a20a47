# SPDX-License-Identifier: Apache-2.0
"""A btrfs of a sysroot, written from its beginning to its end by ourselves.

``mkfs.btrfs --rootdir`` takes owners from the directory, which an ordinary user cannot give, makes
up identities and times, and orders files as the directory happens to list them. So items, trees and
chunks are laid out here, and everything is where it was the last time::

    64 KiB      superblock; again at 64 MiB and 256 GiB
    1 MiB       a chunk for the tree of chunks
    5 MiB       chunks of data, each file in one piece
    …           a chunk of metadata: all other trees
    …           free

::

    scan        a directory becomes inodes, names and pieces of content
    chunks      which places hold what, around the superblocks
    items       inodes, names, extents as bytes
    trees       items into leaves and nodes
    writer      all of it in the order of places

Checksums are SHA-256, which Linux reads since 5.5 and which Python has at full speed. There is one
copy of the metadata; free space is found by the kernel at the first mount.
"""
