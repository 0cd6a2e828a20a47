# SPDX-License-Identifier: Apache-2.0
"""Every OSTree byte layout, as pure functions and plain values: meaning without I/O.

Nothing here opens a file, reads a clock or draws a random number; bytes and text come in as
arguments and go out as results. Bytes from elsewhere end in a value or in a ``FormatError``,
in time and memory bounded by their size.

::

    gvariant/          the general codec; everything below is framed by it
    checksum.py        Checksum (64 hex), raw and base64 forms, compact sets of them
    object_name.py     ObjectType, ObjectName, loose paths
    xattrs.py          sorted (name, value) pairs
    dirmeta.py         owner, mode, xattrs of a directory
    dirtree.py         entries of a directory
    file_header.py     what stands before the content of a file
    filemeta.py        the same, beside files of bare-user repositories
    commit.py          the commit, its well-known metadata, its size entries
    commitmeta.py      detached metadata, where signatures live
    tombstone.py       what remains of a deleted commit
    refs.py            grammar of refs, refspecs, remote names, collection ids
    keyfile.py         the GKeyFile text of ``config`` and remotes
    summary.py         the ``summary`` file
    varint.py          LEB128
    delta_name.py      names of static deltas, and where their files lie
    delta_superblock.py  the head of a delta: what it makes, and of which parts
    delta_signed.py    the same with signatures
    delta_part.py      the body of one part: tables, data, operations
    delta_operations.py  what a part does, one operation after the other
    delta_index.py     which deltas lead to a commit
    verity_digest.py   fs-verity digest of a byte stream
    erofs/             composefs images, byte for byte
    toml_lines.py      where each key of a TOML document is
"""
