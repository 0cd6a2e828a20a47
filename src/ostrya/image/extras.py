# SPDX-License-Identifier: Apache-2.0
"""What a disk has beside the board's partitions and the system: data, files on the FAT."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

from ostrya.image.assemble import Content
from ostrya.image.disk_layout import PartitionWish
from ostrya.image.errors import LayoutError, SourceError
from ostrya.image.fat import FatFile, FatOptions, encode_fat
from ostrya.image.filesystem import Ext4Options, Inode, write_ext4
from ostrya.image.gpt import TYPE_BASIC_DATA, TYPE_LINUX, TYPE_SWAP
from ostrya.image.swap import encode_swap
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

EXT4, VFAT, SWAP, NOTHING = "ext4", "vfat", "swap", "none"
_USUAL_TYPES = {VFAT: TYPE_BASIC_DATA, SWAP: TYPE_SWAP}
_MAX_BOOT_FILE_BYTES = 1 << 30


class DataPartition(NamedTuple):
    """A partition beside those of the board; it has a number behind theirs.

    Attributes:
        name: What it is called, ``PARTLABEL=``.
        size_bytes: How large it is; rounded up to megabytes.
        filesystem: ``ext4``, ``vfat``, ``swap`` or ``none``.
        label: Of the file system.
        contents: A directory of what is in it, or without a file system a file; empty for nothing.
        type: What the table says it holds; None for what the file system is usually said to be.
        after_root: Whether it lies behind the root, which then does not grow.
    """

    name: str
    size_bytes: int
    filesystem: str = EXT4
    label: str = ""
    contents: str = ""
    type: UUID | None = None
    after_root: bool = False

    def wish(self) -> PartitionWish:
        """Return what is wanted of the partition table."""
        usual = _USUAL_TYPES.get(self.filesystem, TYPE_LINUX)
        return PartitionWish(self.name, self.type or usual, self.size_bytes)


class DiskExtras(NamedTuple):
    """What a disk has besides.

    Attributes:
        partitions: Data partitions, in the order of their numbers.
        boot_files: Files and directories of this machine that are put on the FAT partition, each
            with its name there.
    """

    partitions: tuple[DataPartition, ...] = ()
    boot_files: tuple[tuple[str, str], ...] = ()

    def facts(self) -> tuple[object, ...]:
        """Return what distinguishes disks, whatever machine they are built on."""
        return tuple(one._replace(contents="") for one in self.partitions)


class Place(NamedTuple):
    """Where a data partition is to be.

    Attributes:
        size_bytes: How large it is.
        first: Its first sector.
        uuid: Of its file system.
        timestamp: Of all that is in it.
    """

    size_bytes: int
    first: int
    uuid: UUID
    timestamp: int


def data_content(partition: DataPartition, place: Place, scratch: str) -> Content:
    """Make what is in a data partition; see `_content`.

    Raises:
        LayoutError: Its contents do not fit.
    """
    try:
        return _content(partition, place, scratch)
    except LayoutError as exc:
        exc.put_first(f"partition {partition.name}")
        exc.hint = "make the partition greater"
        raise


def _content(partition: DataPartition, place: Place, scratch: str) -> Content:
    """Make what is in a data partition.

    Args:
        partition: Which.
        place: Where it is to be.
        scratch: An empty directory for files that are needed on the way.

    Raises:
        LayoutError: Its contents do not fit.
        SourceError: They cannot be in such a file system.
        CommandFailed: A program failed.
        OSError: Something cannot be read or written.
    """
    if partition.filesystem == NOTHING:
        if not partition.contents:
            return Content()
        if os.path.getsize(partition.contents) > place.size_bytes:
            raise LayoutError(f"{partition.contents} does not fit")
        return Content(file=partition.contents)
    if partition.filesystem == SWAP:
        return Content(((0, encode_swap(place.size_bytes, partition.label, place.uuid)),))
    if partition.filesystem == VFAT:
        files = list(_fat_files(partition.contents, "")) if partition.contents else []
        volume = place.uuid.int & 0xFFFFFFFF
        # What a FAT's label holds, in its letters.
        options = FatOptions(
            place.size_bytes, partition.label[:11], volume, place.timestamp, place.first
        )
        return Content(tuple(encode_fat(files, options)))
    tree = f"{scratch}/tree"
    os.mkdir(tree, 0o755)
    inodes = _copy_tree(partition.contents, tree) if partition.contents else {}
    for folder, names, others in os.walk(tree, topdown=False):
        for name in (*names, *others):
            _set_time(os.path.join(folder, name), place.timestamp)
    _set_time(tree, place.timestamp)
    image = f"{scratch}/image.ext4"
    options4 = Ext4Options(place.size_bytes, partition.label, place.uuid, place.timestamp)
    write_ext4(tree, image, options4, inodes)
    return Content(file=image)


def extra_boot_files(extras: DiskExtras, there: Sequence[FatFile]) -> list[FatFile]:
    """Return files that the FAT partition has besides.

    Raises:
        SourceError: One would be in the place of another, or is no file.
        OSError: One cannot be read.
    """
    found: list[FatFile] = []
    for name, path in extras.boot_files:
        found += _fat_files(path, name)
    taken = {file.path.lower() for file in there}
    for file in found:
        if file.path.lower() in taken:
            raise SourceError(f"the FAT partition has a file {file.path} already")
        taken.add(file.path.lower())
    return found


def _fat_files(path: str, name: str) -> Iterator[FatFile]:
    if not os.path.isdir(path):
        if os.path.getsize(path) > _MAX_BOOT_FILE_BYTES:
            raise SourceError(f"{path} is too large for a FAT partition")
        with open(path, "rb") as stream:
            yield FatFile(name, stream.read())
        return
    for one in sorted(os.listdir(path)):
        yield from _fat_files(os.path.join(path, one), f"{name}/{one}" if name else one)


def _copy_tree(source: str, target: str) -> dict[str, Inode]:
    """Copy a directory; return what is in it as it is to be, whoever copies with which umask."""
    inodes: dict[str, Inode] = {"": Inode(mode=0o755)}
    for folder, names, others in os.walk(source):
        names.sort()
        below = os.path.relpath(folder, source)
        for name in (*names, *sorted(others)):
            path = name if below == "." else f"{below}/{name}"
            found = os.lstat(f"{folder}/{name}")
            place = f"{target}/{path}"
            if stat.S_ISLNK(found.st_mode):
                os.symlink(os.readlink(f"{folder}/{name}"), place)
            elif stat.S_ISDIR(found.st_mode):
                os.mkdir(place, 0o755)
                inodes[path] = Inode(mode=0o755)
            elif stat.S_ISREG(found.st_mode):
                shutil.copyfile(f"{folder}/{name}", place)
                inodes[path] = Inode(mode=0o755 if found.st_mode & 0o100 else 0o644)
            else:
                raise SourceError(f"{folder}/{name} is neither a file nor a link nor a directory")
    return inodes


def _set_time(path: str, timestamp: int) -> None:
    os.utime(path, (timestamp, timestamp), follow_symlinks=False)
