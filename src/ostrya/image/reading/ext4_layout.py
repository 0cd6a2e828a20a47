# SPDX-License-Identifier: Apache-2.0
"""Where things lie in an ext4: superblock, groups, inodes, and which blocks are in use.

Source: the kernel's Documentation/filesystems/ext4.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING
from uuid import UUID

from ostrya.image.errors import DiskError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.image.reading.sources import Source

_SUPER_AT, _SUPER_BYTES, _MAGIC = 1024, 1024, 0xEF53
_RECOVER, _64BIT = 0x4, 0x80
# File types, recovery, extents, 64 bits, multiple mounts, flexible groups, large attributes, seeds
# of checksums, large directories: nothing of it hides anything from who only reads.
_KNOWN = 0x2 | _RECOVER | 0x40 | _64BIT | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000
_FILE_TYPES = 0x2
_NAMES = {0x1: "compression", 0x8: "a journal's", 0x10: "meta groups", 0x8000: "inline data",
          0x10000: "encryption", 0x20000: "case folding"}  # fmt: skip
_SPARSE_SUPER, _SPARSE_SUPER2 = 0x1, 0x200
_BLOCKS_UNUSED = 0x2
_MOST_GROUPS = 1 << 22


class Group(NamedTuple):
    """Where a group has its tables.

    Attributes:
        block_bitmap: Block number.
        inode_bitmap: Block number.
        inode_table: First block number.
        is_unused: Whether its bitmap was never written, as there is nothing but tables in it.
    """

    block_bitmap: int
    inode_bitmap: int
    inode_table: int
    is_unused: bool


class Layout:
    """The superblock of an ext4, and what follows from it.

    Attributes:
        label: What it is called.
        uuid: Its own.
        block_bytes: How large a block is.
        blocks: How many it has.
        free_blocks: How many of them are free, as the superblock says.
        inode_bytes: How large an inode is.
        inodes: How many it has.
        needs_recovery: Whether its journal has changes that nothing else shows.
        has_file_types: Whether directories say what their entries are.
    """

    def __init__(self, source: Source) -> None:
        """Read the superblock.

        Raises:
            DiskError: It is no ext4, or damaged, or has what nobody here reads.
        """
        self._source = source
        if source.size_bytes < _SUPER_AT + _SUPER_BYTES:
            raise DiskError("it is no ext4")
        self._super = source.read(_SUPER_AT, _SUPER_BYTES)
        if self._number("<H", 0x38) != _MAGIC:
            raise DiskError("it is no ext4")
        self._check_features()
        number = self._number
        wide = bool(number("<I", 0x60) & _64BIT)
        bits = number("<I", 0x18)
        if bits > 6:
            raise DiskError("the superblock of the ext4 is damaged")
        self.block_bytes = 1024 << bits
        self.blocks = number("<I", 0x4) | (number("<I", 0x150) << 32 if wide else 0)
        self.free_blocks = number("<I", 0xC) | (number("<I", 0x158) << 32 if wide else 0)
        self.inodes = number("<I", 0x0)
        self.inode_bytes = number("<H", 0x58) if number("<I", 0x4C) else 128
        self.label = self._super[0x78:0x88].split(b"\0")[0].decode("utf-8", "replace")
        self.uuid = str(UUID(bytes=self._super[0x68:0x78]))
        self.needs_recovery = bool(number("<I", 0x60) & _RECOVER)
        self.has_file_types = bool(number("<I", 0x60) & _FILE_TYPES)
        self._first = number("<I", 0x14)
        self._group_blocks = number("<I", 0x20)
        self._group_inodes = number("<I", 0x28)
        self._descriptor_bytes = number("<H", 0xFE) if wide else 32
        self._check_numbers()
        self.groups = -(-(self.blocks - self._first) // self._group_blocks)
        if self.groups > _MOST_GROUPS:
            raise DiskError("the superblock of the ext4 is damaged")

    def _number(self, form: str, at: int) -> int:
        found: int = struct.unpack_from(form, self._super, at)[0]
        return found

    def _check_features(self) -> None:
        unknown = self._number("<I", 0x60) & ~_KNOWN
        if unknown:
            words = [word for bit, word in _NAMES.items() if unknown & bit]
            raise DiskError(f"the ext4 has {' and '.join(words) or f'features {unknown:#x}'}")

    def _check_numbers(self) -> None:
        block = self.block_bytes
        is_fine = (
            self.inode_bytes in (128 << bit for bit in range(10))
            and self.inode_bytes <= block
            and 0 < self._group_inodes <= 8 * block
            and 0 < self._group_blocks <= 8 * block
            and self._descriptor_bytes in (32, 64, 128, 256, 512, 1024)
            and self._first <= 1
            and self._first < self.blocks
            and self.free_blocks <= self.blocks
        )
        if not is_fine:
            raise DiskError("the superblock of the ext4 is damaged")

    def block(self, number: int, count: int = 1) -> bytes:
        """Read blocks.

        Raises:
            DiskError: There are none such.
        """
        if not 0 < number < self.blocks or number + count > self.blocks:
            raise DiskError(f"block {number} of the ext4 does not exist")
        return self._source.read(number * self.block_bytes, count * self.block_bytes)

    def group(self, number: int) -> Group:
        """Return where a group has its tables.

        Raises:
            DiskError: There is no such group.
        """
        at = (self._first + 1) * self.block_bytes + number * self._descriptor_bytes
        raw = self._source.read(at, self._descriptor_bytes)
        low = struct.unpack_from("<III", raw)
        high = struct.unpack_from("<III", raw, 0x20) if self._descriptor_bytes >= 64 else (0, 0, 0)
        places = [one | other << 32 for one, other in zip(low, high, strict=True)]
        flags = struct.unpack_from("<H", raw, 0x12)[0]
        return Group(places[0], places[1], places[2], bool(flags & _BLOCKS_UNUSED))

    def inode(self, number: int) -> bytes:
        """Read an inode.

        Raises:
            DiskError: There is no such inode.
        """
        if not 0 < number <= self.inodes:
            raise DiskError(f"inode {number} of the ext4 does not exist")
        group, index = divmod(number - 1, self._group_inodes)
        if group >= self.groups:
            raise DiskError(f"inode {number} of the ext4 does not exist")
        table = self.group(group).inode_table
        at = table * self.block_bytes + index * self.inode_bytes
        return self._source.read(at, self.inode_bytes)

    def used_blocks(self) -> Iterator[tuple[int, int]]:
        """Yield runs of blocks that are in use: the first, and how many.

        Raises:
            DiskError: Something is damaged.
        """
        runs = _Runs()
        for block in range(self._first):
            runs.add(block, 1)
        for number in range(self.groups):
            start = self._first + number * self._group_blocks
            count = min(self._group_blocks, self.blocks - start)
            group = self.group(number)
            if group.is_unused:
                for first, length in self._tables(number, start, count):
                    runs.add(first, length)
            else:
                _add_bits(runs, self.block(group.block_bitmap), start, count)
            yield from runs.take()
        yield from runs.end()

    def _tables(self, number: int, start: int, count: int) -> list[tuple[int, int]]:
        """Return what of a group without a bitmap is used: tables of its own."""
        found: list[tuple[int, int]] = []
        if self._has_super(number):
            descriptors = -(-self.groups * self._descriptor_bytes // self.block_bytes)
            reserved = self._number("<H", 0xCE)
            found.append((start, min(count, 1 + descriptors + reserved)))
        group = self.group(number)
        tables = -(-self._group_inodes * self.inode_bytes // self.block_bytes)
        places = ((group.block_bitmap, 1), (group.inode_bitmap, 1), (group.inode_table, tables))
        for first, length in places:
            end = min(first + length, start + count)
            if start <= first < end:
                found.append((first, end - first))
        return sorted(found)

    def _has_super(self, number: int) -> bool:
        if number == 0:
            return True
        if self._number("<I", 0x5C) & _SPARSE_SUPER2:
            return number in struct.unpack_from("<II", self._super, 0x24C)
        if not self._number("<I", 0x64) & _SPARSE_SUPER:
            return True
        return number == 1 or any(_is_power(number, base) for base in (3, 5, 7))


def _is_power(number: int, base: int) -> bool:
    while number % base == 0:
        number //= base
    return number == 1


class _Runs:
    """Joins runs that touch."""

    def __init__(self) -> None:
        self._done: list[tuple[int, int]] = []
        self._first = self._count = 0

    def add(self, first: int, count: int) -> None:
        end = self._first + self._count
        if self._count and first <= end:
            self._count = max(end, first + count) - self._first
            return
        if self._count:
            self._done.append((self._first, self._count))
        self._first, self._count = first, count

    def take(self) -> list[tuple[int, int]]:
        done, self._done = self._done, []
        return done

    def end(self) -> list[tuple[int, int]]:
        return [(self._first, self._count)] if self._count else []


def _add_bits(runs: _Runs, bitmap: bytes, start: int, count: int) -> None:
    for at in range(-(-count // 8)):
        byte = bitmap[at]
        if byte == 0xFF:
            runs.add(start + 8 * at, min(8, count - 8 * at))
        elif byte:
            for bit in range(min(8, count - 8 * at)):
                if byte >> bit & 1:
                    runs.add(start + 8 * at + bit, 1)
