# SPDX-License-Identifier: Apache-2.0
"""Static deltas: what leads from one commit to another, made beforehand, in few files.

::

    deltas/Ab/Cdef…-Gh…/superblock    the head: the commit, and what its parts make
    deltas/Ab/Cdef…-Gh…/0, 1, …       the parts
    delta-indexes/Gh/Ijkl….index      which deltas lead to a commit

The formats are libostree's, see ``formats.delta_superblock`` and ``formats.delta_part``. What a
part makes is hashed as it is written, by the same writer as any other object: a part can be
wrong, but what it leaves in a repository cannot.

Applying holds no file in memory: parts are inflated into an unnamed file, sources and patches are
read in pieces.
"""
