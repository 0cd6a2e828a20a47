# SPDX-License-Identifier: Apache-2.0
"""Copies of files, links and whole directories, with owner, mode, times and attributes.

Nothing is followed: what is a link here becomes the same link there.
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ostrya._linux import reflink, xattr
from ostrya._linux.atomic import TmpFile
from ostrya._linux.dirfd import OPEN_FILE, ensure_dir, list_names, open_dir, unlink_if_exists

if TYPE_CHECKING:
    from collections.abc import Callable


def copy_entry(
    name: str,
    *,
    source_fd: int,
    target_fd: int,
    with_xattrs: bool = True,
    on_skipped: Callable[[str], None] = lambda _path: None,
) -> None:
    """Copy one entry of a directory, with all that is in it; a file there is replaced.

    Args:
        name: The entry, here and there.
        source_fd: The directory that it is in.
        target_fd: The directory that it goes to.
        with_xattrs: Whether extended attributes are copied.
        on_skipped: Told the path of each pipe, socket and device; they are not copied.

    Raises:
        OSError: It cannot be read or written, or there is a directory where a file has to go.
    """
    _copy_entry(name, name, source_fd, target_fd, with_xattrs, on_skipped)


def _copy_entry(
    name: str,
    path: str,
    source_fd: int,
    target_fd: int,
    with_xattrs: bool,  # noqa: FBT001  # handed on
    on_skipped: Callable[[str], None],
) -> None:
    mode = os.stat(name, dir_fd=source_fd, follow_symlinks=False).st_mode
    if stat.S_ISREG(mode):
        copy_file(name, source_fd=source_fd, target_fd=target_fd, with_xattrs=with_xattrs)
    elif stat.S_ISLNK(mode):
        copy_symlink(name, source_fd=source_fd, target_fd=target_fd, with_xattrs=with_xattrs)
    elif not stat.S_ISDIR(mode):
        on_skipped(path)
    else:
        with ExitStack() as stack:
            from_fd = open_dir(name, dir_fd=source_fd)
            stack.callback(os.close, from_fd)
            # Nobody else may look in before its own mode says who may.
            ensure_dir(name, dir_fd=target_fd, mode=0o700)
            to_fd = open_dir(name, dir_fd=target_fd)
            stack.callback(os.close, to_fd)
            for child in list_names(from_fd):
                _copy_entry(child, f"{path}/{child}", from_fd, to_fd, with_xattrs, on_skipped)
            copy_dir_attributes(from_fd, to_fd, with_xattrs=with_xattrs)


def copy_file(name: str, *, source_fd: int, target_fd: int, with_xattrs: bool = True) -> None:
    """Copy a regular file; it appears whole, in the place of what was there."""
    fd = os.open(name, OPEN_FILE, dir_fd=source_fd)
    try:
        found = os.fstat(fd)
        with TmpFile(target_fd) as tmp:
            reflink.copy_file_data(fd, tmp.fd, found.st_size)
            _copy_attributes(fd, tmp.fd, found, with_xattrs=with_xattrs)
            os.utime(tmp.fd, ns=(found.st_atime_ns, found.st_mtime_ns))
            tmp.replace(name, dir_fd=target_fd)
    finally:
        os.close(fd)


def copy_symlink(name: str, *, source_fd: int, target_fd: int, with_xattrs: bool = True) -> None:
    """Copy a symbolic link, in the place of what was there."""
    target = os.readlink(name, dir_fd=source_fd)
    found = os.stat(name, dir_fd=source_fd, follow_symlinks=False)
    unlink_if_exists(name, dir_fd=target_fd)
    os.symlink(target, name, dir_fd=target_fd)
    os.chown(name, found.st_uid, found.st_gid, dir_fd=target_fd, follow_symlinks=False)
    if with_xattrs:
        pairs = tuple(xattr.read_xattrs_at(name, dir_fd=source_fd))
        xattr.write_xattrs_at(name, pairs, dir_fd=target_fd)


def copy_dir_attributes(source_fd: int, target_fd: int, *, with_xattrs: bool = True) -> None:
    """Give a directory the owner, mode and attributes of another one."""
    _copy_attributes(source_fd, target_fd, os.fstat(source_fd), with_xattrs=with_xattrs)


def _copy_attributes(
    source_fd: int, target_fd: int, found: os.stat_result, *, with_xattrs: bool
) -> None:
    there = os.fstat(target_fd)
    # Where users have no numbers, in some sandboxes, not even this can be said again.
    if (there.st_uid, there.st_gid) != (found.st_uid, found.st_gid):
        os.fchown(target_fd, found.st_uid, found.st_gid)
    if with_xattrs:
        xattr.write_xattrs(target_fd, tuple(xattr.read_xattrs(source_fd)))
    # After chown, which takes setuid away, and after the attributes, among them ACLs.
    os.fchmod(target_fd, stat.S_IMODE(found.st_mode))
