# SPDX-License-Identifier: Apache-2.0
"""Superblock and groups of an ext4 that ``mke2fs`` has made: what is free, and writing it back."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from ostrya.image.errors import LayoutError
from ostrya.image.ext4.crc32c import crc32c
from ostrya.image.ext4.structures import BLOCK_BYTES, INODE_BYTES, ROOT_INODE, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUPERBLOCK_AT, _SUPERBLOCK_BYTES = 1024, 1024
_GROUP_BYTES = 64
_GROUP = struct.Struct("<IIIHHHHIHHHHIIIHHHHIHHI")
_INODE_UNINIT, _BLOCK_UNINIT = 1, 2
_CHECKSUM_AT = 0x3FC


class _Group:
    """A block group: where its tables are, and what is free in it."""

    def __init__(self, data: bytes) -> None:
        found = _GROUP.unpack(data)
        self.block_bitmap = found[0] | found[12] << 32
        self.inode_bitmap = found[1] | found[13] << 32
        self.inode_table = found[2] | found[14] << 32
        self.free_blocks = found[3] | found[15] << 16
        self.free_inodes = found[4] | found[16] << 16
        self.directories = found[5] | found[17] << 16
        self.flags = found[6]
        self.unused_inodes = found[10] | found[18] << 16
        self.block_bits = b""
        self.inode_bits = b""
        self.block_checksum = found[8] | found[20] << 16
        self.inode_checksum = found[9] | found[21] << 16

    def encode(self, number: int, seed: int) -> bytes:
        def pack(checksum: int) -> bytes:
            return _GROUP.pack(
                self.block_bitmap & 0xFFFFFFFF, self.inode_bitmap & 0xFFFFFFFF,
                self.inode_table & 0xFFFFFFFF, self.free_blocks & 0xFFFF,
                self.free_inodes & 0xFFFF, self.directories & 0xFFFF, self.flags, 0,
                self.block_checksum & 0xFFFF, self.inode_checksum & 0xFFFF,
                self.unused_inodes & 0xFFFF, checksum, self.block_bitmap >> 32,
                self.inode_bitmap >> 32, self.inode_table >> 32, self.free_blocks >> 16,
                self.free_inodes >> 16, self.directories >> 16, self.unused_inodes >> 16, 0,
                self.block_checksum >> 16, self.inode_checksum >> 16, 0,
            )  # fmt: skip

        checksum = crc32c(pack(0), crc32c(struct.pack("<I", number), seed))
        return pack(checksum & 0xFFFF)


class Volume:
    """An ext4 in a file that nobody else uses.

    Attributes:
        fd: The file.
        seed: What all checksums begin with.
    """

    def __init__(self, fd: int) -> None:
        """Read its tables."""
        self.fd = fd
        self._super = bytearray(os.pread(fd, _SUPERBLOCK_BYTES, _SUPERBLOCK_AT))
        self._blocks = self._u32(0x4) | self._u32(0x150) << 32
        self._per_group = self._u32(0x20)
        self._inodes_per_group = self._u32(0x28)
        self.seed = crc32c(self._super[0x68:0x78])
        count = -(-self._blocks // self._per_group)
        self._table_blocks = -(-count * _GROUP_BYTES // BLOCK_BYTES)
        tables = os.pread(fd, count * _GROUP_BYTES, BLOCK_BYTES)
        self._groups = [
            _Group(tables[at * _GROUP_BYTES : (at + 1) * _GROUP_BYTES]) for at in range(count)
        ]
        self._bits = bytearray(-(-self._blocks // 8))
        self._read_block_bitmaps()
        self._runs = self._free_runs()
        self._run = next(self._runs, None)
        # Behind those that have a meaning and lost+found.
        self._next_inode = self._u32(0x54) + 1
        self._inodes = count * self._inodes_per_group

    def _u32(self, at: int) -> int:
        return int.from_bytes(self._super[at : at + 4], "little")

    # -- blocks

    def _read_block_bitmaps(self) -> None:
        per_group_bytes = self._per_group // 8
        for number, group in enumerate(self._groups):
            if group.flags & _BLOCK_UNINIT:
                continue
            data = os.pread(self.fd, per_group_bytes, group.block_bitmap * BLOCK_BYTES)
            start = number * per_group_bytes
            end = min(start + per_group_bytes, len(self._bits))
            self._bits[start:end] = data[: end - start]
        for number, group in enumerate(self._groups):
            if self._has_backup(number):
                extra = int.from_bytes(self._super[0xCE:0xD0], "little")
                self._take(number * self._per_group, 1 + self._table_blocks + extra)
            self._take(group.block_bitmap, 1)
            self._take(group.inode_bitmap, 1)
            table = self._inodes_per_group * INODE_BYTES // BLOCK_BYTES
            self._take(group.inode_table, table)

    def _take(self, first: int, count: int) -> None:
        for block in range(first, min(first + count, self._blocks)):
            self._bits[block >> 3] |= 1 << (block & 7)

    @staticmethod
    def _has_backup(number: int) -> bool:
        if number < 2:
            return True
        for base in (3, 5, 7):
            power = base
            while power < number:
                power *= base
            if power == number:
                return True
        return False

    def _free_runs(self) -> Iterator[Run]:
        """Yield what is free, in the order of places."""
        start, block = -1, 0
        while block < self._blocks:
            if block & 7 == 0 and start < 0 and self._bits[block >> 3] == 0xFF:
                block += 8
                continue
            if block & 7 == 0 and start >= 0 and self._bits[block >> 3] == 0:
                block += 8
                continue
            is_used = self._bits[block >> 3] >> (block & 7) & 1
            if not is_used and start < 0:
                start = block
            elif is_used and start >= 0:
                yield Run(start, block - start)
                start = -1
            block += 1
        if start >= 0:
            yield Run(start, self._blocks - start)

    def allocate(self, count: int) -> list[Run]:
        """Take the next free blocks.

        Raises:
            LayoutError: There are not so many left.
        """
        found = []
        while count > 0:
            if self._run is None:
                raise self.full()
            taken = min(count, self._run.length)
            found.append(Run(self._run.first, taken))
            count -= taken
            rest = self._run.length - taken
            self._run = Run(self._run.first + taken, rest) if rest else next(self._runs, None)
        return found

    def full(self) -> LayoutError:
        """Return the error that files do not fit."""
        size = self._blocks * BLOCK_BYTES >> 20
        return LayoutError(f"the files do not fit into {size} MiB", hint="make the disk greater")

    # -- inodes

    def new_inode(self) -> int:
        """Take the next free inode.

        Raises:
            LayoutError: There is none left.
        """
        number = self._next_inode
        if number > self._inodes:
            raise self.full()
        self._next_inode += 1
        return number

    def inode_place(self, number: int) -> int:
        """Return where an inode is, in bytes."""
        group, at = divmod(number - 1, self._inodes_per_group)
        place: int = self._groups[group].inode_table * BLOCK_BYTES
        return place + at * INODE_BYTES

    def count_directory(self, number: int) -> None:
        """Note that an inode is a directory's; of the root that was noted when it was made."""
        if number != ROOT_INODE:
            self._groups[(number - 1) // self._inodes_per_group].directories += 1

    # -- writing back

    def finish(self) -> None:
        """Write all tables, with their copies."""
        self._mark_blocks()
        free_blocks = free_inodes = 0
        for number, group in enumerate(self._groups):
            self._finish_group(number, group)
            free_blocks += group.free_blocks
            free_inodes += group.free_inodes
        struct.pack_into("<I", self._super, 0xC, free_blocks & 0xFFFFFFFF)
        struct.pack_into("<I", self._super, 0x158, free_blocks >> 32)
        struct.pack_into("<I", self._super, 0x10, free_inodes)
        tables = b"".join(one.encode(at, self.seed) for at, one in enumerate(self._groups))
        for number in range(len(self._groups)):
            if self._has_backup(number):
                self._write_super(number)
                place = (number * self._per_group + 1) * BLOCK_BYTES
                os.pwrite(self.fd, tables, place)

    def _mark_blocks(self) -> None:
        end = self._blocks if self._run is None else self._run.first
        # What lies before the next free block is in use by now, all of it.
        whole = end >> 3
        self._bits[:whole] = b"\xff" * whole
        self._take(whole << 3, end - (whole << 3))

    def _finish_group(self, number: int, group: _Group) -> None:
        per_group_bytes = self._per_group // 8
        start = number * per_group_bytes
        bits = self._bits[start : start + per_group_bytes]
        blocks = min(self._per_group, self._blocks - number * self._per_group)
        used = int.from_bytes(bits, "little").bit_count()
        group.free_blocks = blocks - used
        # What is behind the end of the last group is in use, too.
        padded = int.from_bytes(bits, "little") | ((1 << self._per_group) - (1 << blocks))
        written = padded.to_bytes(per_group_bytes, "little")
        group.flags &= ~_BLOCK_UNINIT
        group.block_checksum = crc32c(written, self.seed)
        place = group.block_bitmap * BLOCK_BYTES
        os.pwrite(self.fd, written.ljust(BLOCK_BYTES, b"\xff"), place)
        self._finish_inodes(number, group)

    def _finish_inodes(self, number: int, group: _Group) -> None:
        first = number * self._inodes_per_group + 1
        used = max(0, min(self._next_inode - first, self._inodes_per_group))
        if used == 0:
            return
        group.free_inodes = self._inodes_per_group - used
        group.unused_inodes = group.free_inodes
        group.flags &= ~_INODE_UNINIT
        bits = (1 << used) - 1
        size = self._inodes_per_group // 8
        written = bits.to_bytes(size, "little")
        group.inode_checksum = crc32c(written, self.seed)
        place = group.inode_bitmap * BLOCK_BYTES
        os.pwrite(self.fd, written.ljust(BLOCK_BYTES, b"\xff"), place)

    def _write_super(self, number: int) -> None:
        copy = bytearray(self._super)
        struct.pack_into("<H", copy, 0x5A, number)
        struct.pack_into("<I", copy, _CHECKSUM_AT, crc32c(copy[:_CHECKSUM_AT]))
        at = _SUPERBLOCK_AT if number == 0 else number * self._per_group * BLOCK_BYTES
        os.pwrite(self.fd, copy, at)
