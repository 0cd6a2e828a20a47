# SPDX-License-Identifier: Apache-2.0
"""The checksum that a file on the disk would have as a content object."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

from ostrya._linux import xattr
from ostrya._linux.dirfd import OPEN_FILE, read_chunks
from ostrya.formats.checksum import Checksum
from ostrya.formats.file_header import FileHeader
from ostrya.formats.xattrs import Xattrs, canonical_xattrs
from ostrya.tree.modifier import FileInfo, canonical_info

if TYPE_CHECKING:
    from collections.abc import Callable


def file_checksum(
    name: str,
    *,
    dir_fd: int | None = None,
    ignore_xattrs: bool = False,
    canonical: bool = False,
    change: Callable[[FileInfo], FileInfo] | None = None,
) -> Checksum:
    """Hash a regular file or symbolic link the way a commit would.

    Args:
        name: The file.
        dir_fd: What ``name`` is relative to; the current directory if None.
        ignore_xattrs: Hash it as if it had no extended attributes.
        canonical: Hash it with the ownership and mode that bare-user-only gives it.
        change: Turns its owner and mode into those to be hashed.

    Raises:
        ObjectFormatError: It is neither regular file nor symbolic link.
        OSError: It cannot be read.
    """
    parent, _, base = name.rpartition("/")
    where = os.open(
        parent or ("/" if name.startswith("/") else "."),
        os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC,
        dir_fd=dir_fd,
    )
    try:
        found = os.stat(base, dir_fd=where, follow_symlinks=False)
        info = FileInfo(found.st_uid, found.st_gid, found.st_mode)
        if canonical:
            info = canonical_info(info)
        if change is not None:
            info = change(info)
        if stat.S_ISREG(found.st_mode):
            return _hash_regular(base, where, info, ignore_xattrs=ignore_xattrs)
        target = os.readlink(base, dir_fd=where) if stat.S_ISLNK(found.st_mode) else ""
        pairs = [] if ignore_xattrs else xattr.read_xattrs_at(base, dir_fd=where)
        header = FileHeader(*info, target, canonical_xattrs(pairs))
        return Checksum(hashlib.sha256(header.encode_stream()).hexdigest())
    finally:
        os.close(where)


def _hash_regular(name: str, dir_fd: int, info: FileInfo, *, ignore_xattrs: bool) -> Checksum:
    fd = os.open(name, OPEN_FILE | os.O_NONBLOCK, dir_fd=dir_fd)
    try:
        xattrs: Xattrs = () if ignore_xattrs else canonical_xattrs(xattr.read_xattrs(fd))
        hasher = hashlib.sha256(FileHeader(*info, "", xattrs).encode_stream())
        for chunk in read_chunks(fd):
            hasher.update(chunk)
    finally:
        os.close(fd)
    return Checksum(hasher.hexdigest())
