# SPDX-License-Identifier: Apache-2.0
"""The sysroot as a tar archive: deployments, repository, ``/var``, with hard links.

Owners, modes and attributes are those that files are to have, not those that they have in the
working directory of an ordinary user. What an archive cannot say is the immutable flag of a
deployment: ``ostrya admin post-copy`` sets it again where somebody has unpacked one.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya.image.errors import OutputError
from ostrya.image.filesystem import ROOTS, Inode
from ostrya.tree.tar_header import (
    BLOCK,
    DIRECTORY,
    FILE,
    HARD_LINK,
    SYMLINK,
    TarHeader,
    encode_entry,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ostrya.image.outputs.sinks import Sink

_CHUNK_BYTES = 256 << 10
_Identity = tuple[int, int]


def write_sysroot_tar(tree: str, inodes: Mapping[str, Inode], sink: Sink) -> None:
    """Write a sysroot as an archive.

    Args:
        tree: Its directory.
        inodes: By path below it, what is to be like what; all else is root's. Of a file with
            several names, one of them says it.
        sink: Takes the archive.

    Raises:
        OutputError: There is something in it that is no file, directory or link.
        OSError: Something cannot be read.
    """
    shared = shared_inodes(tree, inodes)
    names: dict[_Identity, bytes] = {}
    for path, found in walk_sorted(tree):
        identity = (found.st_dev, found.st_ino)
        inode = inodes.get(path) or shared.get(identity) or ROOTS
        mode = stat.S_IMODE(found.st_mode if inode.mode is None else inode.mode)
        name = os.fsencode(f"./{path}" if path else ".")
        header = TarHeader(name, FILE, mode, inode.uid, inode.gid)
        place = os.path.join(tree, path)
        timestamp = max(0, int(found.st_mtime))
        if stat.S_ISDIR(found.st_mode):
            header = header._replace(name=name + b"/", kind=DIRECTORY)
            sink.write(encode_entry(header, timestamp, inode.xattrs))
        elif first := names.get(identity):
            # The first one carries the attributes for all.
            sink.write(encode_entry(header._replace(kind=HARD_LINK, link=first), timestamp))
        else:
            if found.st_nlink > 1:
                names[identity] = name
            if stat.S_ISLNK(found.st_mode):
                header = header._replace(kind=SYMLINK, link=os.fsencode(os.readlink(place)))
                sink.write(encode_entry(header, timestamp, inode.xattrs))
            elif stat.S_ISREG(found.st_mode):
                header = header._replace(size=found.st_size)
                sink.write(encode_entry(header, timestamp, inode.xattrs))
                put_file(place, found.st_size, sink)
            else:
                raise OutputError(f"{place} is no file, directory or link")
    sink.write(bytes(2 * BLOCK))


def put_file(path: str, size: int, sink: Sink) -> None:
    """Write what is in a file, filled up to a whole block.

    Raises:
        OutputError: It is not as large as it was.
        OSError: It cannot be read.
    """
    left = size
    with open(path, "rb") as stream:
        while left and (data := stream.read(min(left, _CHUNK_BYTES))):
            sink.write(data)
            left -= len(data)
    if left:
        raise OutputError(f"{path} became shorter while it was read")
    sink.write(bytes(-size % BLOCK))


def shared_inodes(tree: str, inodes: Mapping[str, Inode]) -> dict[_Identity, Inode]:
    """Return what files with several names are to be like, whichever of the names says it."""
    found: dict[_Identity, Inode] = {}
    for path, inode in inodes.items():
        try:
            one = os.lstat(os.path.join(tree, path))
        except FileNotFoundError:
            # A working directory may lack what went to another partition.
            continue
        if one.st_nlink > 1 and not stat.S_ISDIR(one.st_mode):
            found[one.st_dev, one.st_ino] = inode
    return found


def walk_sorted(tree: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield paths, each directory before what is in it, in the order of names."""
    stack = [""]
    while stack:
        path = stack.pop()
        place = os.path.join(tree, path)
        found = os.lstat(place)
        yield path, found
        if stat.S_ISDIR(found.st_mode):
            names = sorted(os.listdir(place), reverse=True)
            stack += [f"{path}/{name}" if path else name for name in names]
