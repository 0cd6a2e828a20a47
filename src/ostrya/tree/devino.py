# SPDX-License-Identifier: Apache-2.0
"""Which file on the disk is which object: (device, inode) to checksum.

A file that is a hard link to an object need not be read to know its checksum.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import list_names, open_dir
from ostrya._linux.naming import Below, names_repo
from ostrya.formats.object_name import ObjectType, parse_loose_name

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository


class DevInoCache:
    """A map from (device, inode) to checksum."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Checksum] = {}

    def add(self, device: int, inode: int, checksum: Checksum) -> None:
        """Note that a file is an object."""
        self._known[device, inode] = checksum

    def get(self, device: int, inode: int) -> Checksum | None:
        """Return the object that a file is, if it is known to be one."""
        return self._known.get((device, inode))

    def __len__(self) -> int:
        return len(self._known)


@names_repo
def scan_hardlinks(repo: Repository) -> DevInoCache:
    """Note all content objects of a repository, and of its parents, that have further links."""
    cache = DevInoCache()
    current: Repository | None = repo
    while current is not None:
        with Below(f"{current.path}/objects"):
            _scan_objects(current.objects_fd, cache)
        try:
            fd = open_dir("uncompressed-objects-cache", dir_fd=current.dir_fd)
        except FileNotFoundError:
            pass
        else:
            try:
                _scan_objects(fd, cache)
            finally:
                os.close(fd)
        current = current.parent
    return cache


def _scan_objects(objects_fd: int, cache: DevInoCache) -> None:
    for prefix in list_names(objects_fd):
        if len(prefix) != 2:
            continue
        try:
            fd = open_dir(prefix, dir_fd=objects_fd)
        except (FileNotFoundError, NotADirectoryError):
            continue
        try:
            _scan_prefix(fd, prefix, cache)
        finally:
            os.close(fd)


def _scan_prefix(fd: int, prefix: str, cache: DevInoCache) -> None:
    with os.scandir(fd) as entries:
        for entry in entries:
            if not entry.name.endswith(".file"):
                continue
            name = parse_loose_name(prefix, entry.name)
            found = entry.stat(follow_symlinks=False)
            # An object without a second link cannot be part of a checkout.
            if name is not None and name.type == ObjectType.FILE and found.st_nlink > 1:
                cache.add(found.st_dev, found.st_ino, name.checksum)
