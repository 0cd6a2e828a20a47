# SPDX-License-Identifier: Apache-2.0
"""Partitions and file systems in use that are made larger."""

from __future__ import annotations

import ctypes
import fcntl
import struct

# The size of a size_t is in the number: it is another one where programs are of 32 bits.
_BLKGETSIZE64 = 0x80001272 | struct.calcsize("N") << 16
_BLKPG = 0x1269
_RESIZE = 3
# struct blkpg_partition: start and length in bytes, number, two names that are not looked at.
_PARTITION = struct.Struct("<qqi64s64s4x")
# struct blkpg_ioctl_arg: what to do, flags, size and address of the other; as the compiler aligns.
_ARGUMENT = struct.Struct("@iiiP")
_EXT4_RESIZE = 0x40086610


def device_bytes(fd: int) -> int:
    """Return how large a block device is."""
    size = bytearray(8)
    fcntl.ioctl(fd, _BLKGETSIZE64, size)
    return int.from_bytes(size, "little")


def resize_partition(disk_fd: int, number: int, start: int, length: int) -> None:
    """Tell the kernel how large a partition is now, although it is mounted.

    Args:
        disk_fd: The whole disk.
        number: Of the partition, from 1.
        start: Where it begins, in bytes; as it was.
        length: How large it is, in bytes.

    Raises:
        OSError: The kernel does not agree.
    """
    data = ctypes.create_string_buffer(_PARTITION.pack(start, length, number, b"", b""))
    argument = _ARGUMENT.pack(_RESIZE, 0, _PARTITION.size, ctypes.addressof(data))
    fcntl.ioctl(disk_fd, _BLKPG, argument)


def resize_ext4(fd: int, blocks: int) -> None:
    """Make a mounted ext4 larger.

    Args:
        fd: A directory in it.
        blocks: How many of its blocks it is to have.

    Raises:
        OSError: It cannot.
    """
    fcntl.ioctl(fd, _EXT4_RESIZE, struct.pack("<Q", blocks))
