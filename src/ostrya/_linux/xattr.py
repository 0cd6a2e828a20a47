# SPDX-License-Identifier: Apache-2.0
"""Extended attributes as bytes, by descriptor or by name, never through a link."""

from __future__ import annotations

import os
from errno import ENODATA, ENOTSUP

Pairs = list[tuple[bytes, bytes]]


def read_xattrs(fd: int) -> Pairs:
    """Read all extended attributes of an open file, in the order of their names.

    Those with an empty value are left out. A file system without extended attributes has none.
    """
    return _read(fd)


def read_xattrs_at(name: str, *, dir_fd: int) -> Pairs:
    """Read all extended attributes of a directory entry; of a link, its own."""
    return _read(f"/proc/self/fd/{dir_fd}/{name}")


def _read(target: int | str) -> Pairs:
    follow = isinstance(target, int)
    try:
        names = os.listxattr(target, follow_symlinks=follow)
    except OSError as exc:
        if exc.errno == ENOTSUP:
            return []
        raise
    pairs: Pairs = []
    for name in names:
        try:
            value = os.getxattr(target, name, follow_symlinks=follow)
        except OSError as exc:
            if exc.errno == ENODATA:
                # Removed since it was listed.
                continue
            raise
        # libostree cannot see an attribute without a value, and checksums must be equal.
        if value:
            pairs.append((os.fsencode(name), value))
    pairs.sort()
    return pairs


def read_xattr(fd: int, name: str) -> bytes | None:
    """Read one extended attribute of an open file, None if it has no such attribute."""
    try:
        return os.getxattr(fd, name)
    except OSError as exc:
        if exc.errno in (ENODATA, ENOTSUP):
            return None
        raise


def write_xattrs(fd: int, pairs: tuple[tuple[bytes, bytes], ...]) -> None:
    """Set extended attributes of an open file."""
    for name, value in pairs:
        os.setxattr(fd, name, value)


def write_xattrs_at(name: str, pairs: tuple[tuple[bytes, bytes], ...], *, dir_fd: int) -> None:
    """Set extended attributes of a directory entry; of a link, its own."""
    path = f"/proc/self/fd/{dir_fd}/{name}"
    for key, value in pairs:
        os.setxattr(path, key, value, follow_symlinks=False)
