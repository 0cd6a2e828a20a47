# SPDX-License-Identifier: Apache-2.0
"""Files that this package puts into a root file system: hooks of ramdisks, units of systemd.

What is there already stays, since it may be the distribution's own, which does the same; unless it
is to be replaced.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import OPEN_DIR, exists
from ostrya.boot.install import make_dirs
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class PackageFile(NamedTuple):
    """One file.

    Attributes:
        path: Below the root.
        data: What is in it.
        mode: Its permissions.
    """

    path: str
    data: bytes
    mode: int = 0o644


class PackageLink(NamedTuple):
    """One symbolic link.

    Attributes:
        path: Below the root.
        target: Where it leads.
    """

    path: str
    target: str


def write_package_files(
    root: int | str, things: Iterable[PackageFile | PackageLink], *, replace: bool = False
) -> tuple[str, ...]:
    """Write files and links into a root file system; return the paths of those that are new.

    Args:
        root: The root directory, or a descriptor of it, which stays the caller's.
        things: What to write.
        replace: Whether what is there is replaced.

    Raises:
        OSError: Something cannot be written.
    """
    if isinstance(root, str):
        fd = os.open(root, OPEN_DIR)
        try:
            return write_package_files(fd, things, replace=replace)
        finally:
            os.close(fd)
    return tuple(one.path for one in things if _write(one, root, replace=replace))


def _write(thing: PackageFile | PackageLink, root_fd: int, *, replace: bool) -> bool:
    is_there = exists(thing.path, dir_fd=root_fd)
    if is_there and not replace:
        return False
    make_dirs(thing.path.rpartition("/")[0], dir_fd=root_fd)
    if isinstance(thing, PackageLink):
        if is_there:
            os.unlink(thing.path, dir_fd=root_fd)
        os.symlink(thing.target, thing.path, dir_fd=root_fd)
        return True
    replace_file(thing.path, thing.data, dir_fd=root_fd, mode=thing.mode)
    # Whatever the umask is.
    os.chmod(thing.path, thing.mode, dir_fd=root_fd)
    return True
