# SPDX-License-Identifier: Apache-2.0
"""composefs images: EROFS file systems of metadata only, the same bytes for the same tree.

``nodes`` is the tree that goes in, ``image`` gives the bytes that come out. Between them:
``overlay`` adds what overlayfs is to find, ``plan`` numbers and places the inodes, ``xattrs``
and ``xxh32`` encode extended attributes, ``layout`` knows the structures on the disk.
"""
