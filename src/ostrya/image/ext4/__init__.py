# SPDX-License-Identifier: Apache-2.0
"""Files are put into an ext4 that ``mke2fs`` has made, the same bytes every time.

::

    crc32c        the checksum that everything in it has (pure)
    structures    inodes, directories, extents (pure)
    attributes    extended attributes, POSIX access lists in their form on the disk (pure)
    volume        superblock, groups, what is free; written back with all copies
    populate      a directory becomes what is in it

The file system is not in use: there is no journal to be kept. Numbers of inodes and places of
blocks follow the order of names, so that nothing depends on who builds, and on what machine. What
is in a file is copied by the kernel, or shared where its file system can.
"""
