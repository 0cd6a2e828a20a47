# SPDX-License-Identifier: Apache-2.0
"""On the device: the last partition of its disk and the file system in it get what is behind them.

The partition table is written in an order that lets power fail at any time; the file system's own
journal does the same for it. What is done already is not done again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux import partitions
from ostrya._linux.mount_table import read_mounts
from ostrya.image.errors import LayoutError
from ostrya.image.mbr import SECTOR_BYTES
from ostrya.image.table_growth import plan_growth
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.image.table_growth import Growth

_SYS = "/sys/dev/block"


class Partition(NamedTuple):
    """A partition that a file system is on.

    Attributes:
        disk: Path of the whole disk.
        number: Its number, from 1.
        sectors: How large the kernel takes it for.
    """

    disk: str
    number: int
    sectors: int


class Grown(NamedTuple):
    """What came of it.

    Attributes:
        before: How large the file system was, in bytes.
        after: How large it is.
    """

    before: int
    after: int


def grow_mounted(path: str) -> Grown:
    """Let the partition of a mounted ext4, and that, grow to the end of the disk.

    Args:
        path: Where it is mounted.

    Raises:
        LayoutError: It is no ext4 on the last partition of a disk.
        OSError: Something cannot be written, or the kernel does not agree.
    """
    partition = find_partition(path)
    fd = os.open(partition.disk, os.O_RDWR | os.O_CLOEXEC)
    try:
        growth = grow_table(fd, partitions.device_bytes(fd), partition.number)
        if growth.sectors > partition.sectors:
            partitions.resize_partition(
                fd,
                partition.number,
                growth.first * SECTOR_BYTES,
                growth.sectors * SECTOR_BYTES,
            )
    finally:
        os.close(fd)
    return grow_file_system(path, growth.sectors * SECTOR_BYTES)


def grow_table(fd: int, disk_bytes: int, number: int) -> Growth:
    """Write a partition table in which a partition reaches to the end of the disk.

    Args:
        fd: The disk, or a file like it.
        disk_bytes: How large it is.
        number: Of the partition, from 1.

    Raises:
        LayoutError: It cannot grow.
        OSError: It cannot be written.
    """

    def read(offset: int, size: int) -> bytes:
        return os.pread(fd, size, offset)

    growth = plan_growth(read, disk_bytes // SECTOR_BYTES, number)
    for offset, data in growth.writes:
        os.pwrite(fd, data, offset)
        # Each has to be there before the next begins.
        os.fsync(fd)
    return growth


def grow_file_system(path: str, size_bytes: int) -> Grown:
    """Let a mounted ext4 grow.

    Args:
        path: Where it is mounted.
        size_bytes: How large its partition is.

    Raises:
        OSError: It cannot.
    """
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        found = os.fstatvfs(fd)
        blocks = size_bytes // found.f_frsize
        partitions.resize_ext4(fd, blocks)
        after = os.fstatvfs(fd)
        os.fsync(fd)
    finally:
        os.close(fd)
    return Grown(found.f_blocks * found.f_frsize, after.f_blocks * after.f_frsize)


def find_partition(path: str, *, sys: str = _SYS) -> Partition:
    """Return the partition of what is mounted at a path.

    Args:
        path: Where.
        sys: Where the kernel tells of block devices.

    Raises:
        LayoutError: It is no ext4, or not on a partition of a disk.
        OSError: The kernel's word cannot be read.
    """
    place = os.path.realpath(path)
    kinds = [one.kind for one in read_mounts() if one.path == place]
    if not kinds:
        raise LayoutError(f"nothing is mounted at {path}")
    if kinds[-1] != "ext4":
        raise LayoutError(f"{path} is {kinds[-1]}, not ext4, which can grow")
    device = os.stat(path).st_dev
    return partition_of(f"{os.major(device)}:{os.minor(device)}", sys=sys)


def partition_of(numbers: str, *, sys: str = _SYS) -> Partition:
    """Return what the kernel says of a partition.

    Args:
        numbers: Of its device, as ``8:3``.
        sys: Where the kernel tells of block devices.

    Raises:
        LayoutError: It is none.
        OSError: The kernel's word cannot be read.
    """
    folder = f"{sys}/{numbers}"
    if not os.path.exists(f"{folder}/partition"):
        raise LayoutError(f"the block device {numbers} is no partition of a disk")
    real = os.path.realpath(folder)
    disk = os.path.basename(os.path.dirname(real)).replace("!", "/")
    return Partition(f"/dev/{disk}", _number(f"{folder}/partition"), _number(f"{folder}/size"))


def _number(path: str) -> int:
    with open(path, encoding="ascii") as stream:
        return int(stream.read())
