# SPDX-License-Identifier: Apache-2.0
"""Read files of an ext4 image as U-Boot and GRUB do: what lies there, without the journal.

No checksums are looked at, as those loaders look at none. What is damaged so that it cannot be read
at all is a `ReadError`.

Source: the kernel's Documentation/filesystems/ext4.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
import struct
from pathlib import Path
from typing import NamedTuple, Self

_SUPER_AT, _MAGIC = 1024, 0xEF53
_ROOT_INODE = 2
_EXTENT_MAGIC = 0xF30A
_EXTENTS_FLAG = 0x80000
_INCOMPAT_64BIT = 0x80
_INCOMPAT_RECOVER = 0x4
_FAST_LINK_BYTES = 60
_MOST_LINKS = 20


class ReadError(OSError):
    """Something cannot be read, or is not there."""


class Inode(NamedTuple):
    """What an inode says."""

    number: int
    mode: int
    size: int
    flags: int
    block: bytes

    @property
    def is_dir(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)


class Ext4:
    """A file system within an image."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        with path.open("rb") as stream:
            self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self._offset = offset
        read = self._unpack
        if read("<H", _SUPER_AT + 0x38) != _MAGIC:
            raise ReadError("no ext4")
        self.block_bytes = 1024 << read("<I", _SUPER_AT + 0x18)
        self.blocks = read("<I", _SUPER_AT + 0x4) | read("<I", _SUPER_AT + 0x150) << 32
        self._inodes_per_group = read("<I", _SUPER_AT + 0x28)
        self._inode_bytes = read("<H", _SUPER_AT + 0x58)
        incompat = read("<I", _SUPER_AT + 0x60)
        self.needs_recovery = bool(incompat & _INCOMPAT_RECOVER)
        self._group_bytes = read("<H", _SUPER_AT + 0xFE) if incompat & _INCOMPAT_64BIT else 32
        self._groups_at = self.block_bytes * (read("<I", _SUPER_AT + 0x14) + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._map.close()

    def _unpack(self, form: str, at: int) -> int:
        found: int = struct.unpack_from(form, self._map, self._offset + at)[0]
        return found

    def read(self, path: str) -> bytes:
        """Read a file, links followed.

        Raises:
            ReadError: It is not there, or no file.
        """
        inode = self.find(path)
        if not stat.S_ISREG(inode.mode):
            raise ReadError(f"{path}: no file")
        return self.content(inode)

    def names(self, path: str) -> dict[str, Inode]:
        """What is in a directory.

        Raises:
            ReadError: It is not there, or none.
        """
        inode = self.find(path)
        if not inode.is_dir:
            raise ReadError(f"{path}: no directory")
        return {
            name: self.inode(number)
            for name, number in self._entries(inode).items()
            if name not in (".", "..")
        }

    def real_path(self, path: str) -> str:
        """Where a path leads once all links are followed."""
        return self._walk(path)[0]

    def find(self, path: str) -> Inode:
        """Find what a path leads to, links followed.

        Raises:
            ReadError: It is not there.
        """
        return self._walk(path)[1]

    def _walk(self, path: str) -> tuple[str, Inode]:
        parts = [part for part in path.split("/") if part not in ("", ".")]
        trail = [("", self.inode(_ROOT_INODE))]
        links = 0
        while parts:
            part = parts.pop(0)
            if part == "..":
                trail = trail[:-1] or trail
                continue
            here = trail[-1][1]
            number = self._entries(here).get(part) if here.is_dir else None
            if not number:
                raise ReadError(f"{path}: {part} is not there")
            inode = self.inode(number)
            if not inode.is_link:
                trail.append((part, inode))
                continue
            links += 1
            if links > _MOST_LINKS:
                raise ReadError(f"{path}: links lead in circles")
            target = self.content(inode).decode()
            if target.startswith("/"):
                trail = trail[:1]
            parts = [one for one in target.split("/") if one not in ("", ".")] + parts
        return "/".join(name for name, _ in trail) or "/", trail[-1][1]

    def inode(self, number: int) -> Inode:
        """Read an inode."""
        group, index = divmod(number - 1, self._inodes_per_group)
        try:
            at = self._groups_at + group * self._group_bytes
            table = self._unpack("<I", at + 0x8)
            if self._group_bytes >= 64:
                table |= self._unpack("<I", at + 0x28) << 32
            at = self._offset + table * self.block_bytes + index * self._inode_bytes
            raw = self._map[at : at + self._inode_bytes]
            mode, low, flags, high = (
                struct.unpack_from(form, raw, place)[0]
                for form, place in (("<H", 0), ("<I", 4), ("<I", 0x20), ("<I", 0x6C))
            )
        except struct.error:
            raise ReadError(f"inode {number} is beyond the end") from None
        return Inode(number, mode, low | high << 32, flags, raw[0x28:0x64])

    def content(self, inode: Inode) -> bytes:
        """What is in a file, a link or a directory."""
        if inode.is_link and inode.size < _FAST_LINK_BYTES:
            return inode.block[: inode.size]
        return b"".join(self._pieces(inode))[: inode.size]

    def digest(self, inode: Inode) -> str:
        """The checksum of a file's content."""
        return hashlib.sha256(self.content(inode)).hexdigest()

    def _pieces(self, inode: Inode) -> list[bytes]:
        if not inode.flags & _EXTENTS_FLAG:
            if inode.size == 0:
                return []
            raise ReadError(f"inode {inode.number} has no extents")
        wanted = -(-inode.size // self.block_bytes)
        pieces, at = [], 0
        for logical, length, physical in sorted(self._extents(inode.block, inode.number)):
            if logical >= wanted:
                break
            pieces.append(bytes((logical - at) * self.block_bytes))
            count = min(length, wanted - logical)
            pieces.append(
                self._blocks(physical, count) if physical else bytes(count * self.block_bytes)
            )
            at = logical + count
        pieces.append(bytes((wanted - at) * self.block_bytes))
        return pieces

    def _blocks(self, first: int, count: int) -> bytes:
        if first + count > self.blocks:
            raise ReadError(f"block {first} is beyond the end")
        at = self._offset + first * self.block_bytes
        return self._map[at : at + count * self.block_bytes]

    def _extents(self, node: bytes, number: int, depth_left: int = 5) -> list[tuple[int, int, int]]:
        magic, count, _most, depth = struct.unpack_from("<HHHH", node)
        if magic != _EXTENT_MAGIC or depth > depth_left:
            raise ReadError(f"the extents of inode {number} are damaged")
        found: list[tuple[int, int, int]] = []
        for at in range(12, 12 + 12 * count, 12):
            if depth:
                _logical, low, high = struct.unpack_from("<IIH", node, at)
                found += self._extents(self._blocks(low | high << 32, 1), number, depth - 1)
                continue
            logical, length, high, low = struct.unpack_from("<IHHI", node, at)
            # Asked for, but never written: reads as zeros.
            is_empty = length > 1 << 15
            found.append(
                (
                    logical,
                    length - (1 << 15) if is_empty else length,
                    0 if is_empty else low | high << 32,
                )
            )
        return found

    def _entries(self, inode: Inode) -> dict[str, int]:
        data = self.content(inode)
        found: dict[str, int] = {}
        for block in range(0, len(data), self.block_bytes):
            at, end = block, min(block + self.block_bytes, len(data))
            while at + 8 <= end:
                number, length, name_bytes = struct.unpack_from("<IHB", data, at)
                if length < 8 or at + length > end:
                    raise ReadError(f"the directory in inode {inode.number} is damaged")
                if number and name_bytes:
                    found[os.fsdecode(data[at + 8 : at + 8 + name_bytes])] = number
                at += length
        return found
