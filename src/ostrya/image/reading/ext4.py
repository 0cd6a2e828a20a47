# SPDX-License-Identifier: Apache-2.0
"""Files of an ext4: what lies there, without its journal, as boot loaders read it.

Source: the kernel's Documentation/filesystems/ext4.
"""

from __future__ import annotations

import stat
import struct
from collections import OrderedDict
from typing import TYPE_CHECKING

from ostrya.image.errors import DiskError
from ostrya.image.reading.ext4_attributes import read_attributes
from ostrya.image.reading.ext4_layout import Layout
from ostrya.image.reading.files import Entry, FileKind
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.formats.xattrs import Xattrs
    from ostrya.image.reading.sources import Source

_ROOT_INODE = 2
_EXTENT_MAGIC, _MOST_DEPTH = 0xF30A, 5
_EXTENTS, _INLINE, _ENCRYPTED = 0x80000, 0x10000000, 0x800
_FAST_LINK_BYTES = 60
_MOST_LINK_BYTES = 4096
_MOST_DIRECTORY_BYTES = 64 << 20
_MOST_NODES = 1 << 16
# The most that 32 bits count of blocks of 4 KiB.
_MOST_FILE_BYTES = 1 << 44
_CHUNK_BYTES = 1 << 20
_KEPT_DIRECTORIES = 64
_DIRECT = 12


class _Inode(NamedTuple):
    number: int
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    flags: int
    block: bytes


class Ext4:
    """An ext4.

    Attributes:
        kind: ``ext4``.
        uuid: Its own.
        size_bytes: How large it is.
        layout: Where things lie in it.
    """

    kind = "ext4"

    def __init__(self, source: Source) -> None:
        """Read the superblock.

        Raises:
            DiskError: It is no ext4, or damaged.
        """
        self.layout = layout = Layout(source)
        self.uuid = layout.uuid
        self.size_bytes = layout.blocks * layout.block_bytes
        self._directories: OrderedDict[int, dict[str, int]] = OrderedDict()

    # -- what a file system has

    @property
    def label(self) -> str:
        """What it is called."""
        return self.layout.label

    @property
    def free_bytes(self) -> int:
        """How much of it is free."""
        return self.layout.free_blocks * self.layout.block_bytes

    def root(self) -> Entry:
        """Return its root."""
        return _entry("", self._inode(_ROOT_INODE))

    def entries(self, directory: Entry) -> Iterator[Entry]:
        """Yield what is in a directory, in the order of names.

        Raises:
            DiskError: It is damaged.
        """
        names = self._names(directory.handle)
        for name in sorted(names):
            yield _entry(name, self._inode(names[name]))

    def find(self, directory: Entry, name: str) -> Entry | None:
        """Return what has a name in a directory; None if nothing has.

        Raises:
            DiskError: It is damaged.
        """
        number = self._names(directory.handle).get(name)
        return None if number is None else _entry(name, self._inode(number))

    def chunks(self, file: Entry) -> Iterator[bytes]:
        """Yield what is in a file, zeros where nothing was written.

        Raises:
            DiskError: It is damaged.
        """
        return self._chunks(self._inode(file.handle))

    def target(self, link: Entry) -> str:
        """Return where a link leads.

        Raises:
            DiskError: It is damaged.
        """
        inode = self._inode(link.handle)
        if inode.size > _MOST_LINK_BYTES:
            raise DiskError(f"the link in inode {inode.number} has {inode.size} bytes")
        if inode.size < _FAST_LINK_BYTES and not inode.flags & _EXTENTS:
            raw = inode.block[: inode.size]
        else:
            raw = b"".join(self._chunks(inode))
        return raw.decode("utf-8", "surrogateescape")

    def xattrs(self, entry: Entry) -> Xattrs:
        """Return extended attributes.

        Raises:
            DiskError: They are damaged.
        """
        return read_attributes(self.layout, self.layout.inode(entry.handle), entry.handle)

    # -- inodes

    def _inode(self, number: int) -> _Inode:
        raw = self.layout.inode(number)
        mode, uid, low = struct.unpack_from("<HHI", raw)
        mtime = struct.unpack_from("<i", raw, 0x10)[0]
        gid = struct.unpack_from("<H", raw, 0x18)[0]
        flags = struct.unpack_from("<I", raw, 0x20)[0]
        high = struct.unpack_from("<I", raw, 0x6C)[0]
        uid_high, gid_high = struct.unpack_from("<HH", raw, 0x78)
        return _Inode(
            number, mode, uid | uid_high << 16, gid | gid_high << 16, low | high << 32, mtime,
            flags, raw[0x28:0x64],
        )  # fmt: skip

    def _names(self, number: int) -> dict[str, int]:
        names = self._directories.get(number)
        if names is None:
            inode = self._inode(number)
            if not stat.S_ISDIR(inode.mode):
                raise DiskError(f"inode {number} is no directory")
            if inode.size > _MOST_DIRECTORY_BYTES:
                raise DiskError(f"the directory in inode {number} has {inode.size} bytes")
            names = self._read_names(inode)
            self._directories[number] = names
            if len(self._directories) > _KEPT_DIRECTORIES:
                self._directories.popitem(last=False)
        return names

    def _read_names(self, inode: _Inode) -> dict[str, int]:
        found: dict[str, int] = {}
        data = b"".join(self._chunks(inode))
        for block in range(0, len(data), self.layout.block_bytes):
            at, end = block, min(block + self.layout.block_bytes, len(data))
            while at + 8 <= end:
                number, length, name_bytes, kind = struct.unpack_from("<IHBB", data, at)
                if not self.layout.has_file_types:
                    name_bytes |= kind << 8
                if length == 0xFFFF:
                    length = 0x10000
                if length < 8 or at + length > end or name_bytes > length - 8:
                    raise DiskError(f"the directory in inode {inode.number} is damaged")
                name = data[at + 8 : at + 8 + name_bytes]
                if number and name_bytes and name not in (b".", b".."):
                    if b"/" in name or b"\0" in name:
                        raise DiskError(f"the directory in inode {inode.number} is damaged")
                    found[name.decode("utf-8", "surrogateescape")] = number
                at += length
        return found

    # -- content

    def _chunks(self, inode: _Inode) -> Iterator[bytes]:
        if inode.flags & (_INLINE | _ENCRYPTED):
            word = "encrypted" if inode.flags & _ENCRYPTED else "kept in its inode"
            raise DiskError(f"the file in inode {inode.number} is {word}")
        if inode.size > _MOST_FILE_BYTES:
            raise DiskError(f"the file in inode {inode.number} has {inode.size} bytes")
        block_bytes = self.layout.block_bytes
        wanted = -(-inode.size // block_bytes)
        runs = self._extents(inode) if inode.flags & _EXTENTS else self._pointers(inode)
        at, left = 0, inode.size
        step = max(1, _CHUNK_BYTES // block_bytes)
        for logical, count, physical in (*runs, (wanted, 0, 0)):
            logical, end = min(logical, wanted), min(logical + count, wanted)  # noqa: PLW2901
            while at < logical:
                number = min(step, logical - at)
                yield bytes(min(left, number * block_bytes))
                at, left = at + number, left - number * block_bytes
            while at < end:
                number = min(step, end - at)
                data = self.layout.block(physical + at - logical, number)
                yield data[:left] if left < len(data) else data
                at, left = at + number, left - number * block_bytes

    def _extents(self, inode: _Inode) -> Iterator[tuple[int, int, int]]:
        """Yield runs of blocks that were written, by their place in the file."""
        budget = [_MOST_NODES]
        end = 0
        for logical, count, physical in self._leaves(inode.block, inode.number, None, budget):
            if logical < end:
                raise DiskError(f"the extents of inode {inode.number} overlap")
            end = logical + count
            if physical:
                yield logical, count, physical

    def _leaves(
        self, node: bytes, number: int, depth: int | None, budget: list[int]
    ) -> Iterator[tuple[int, int, int]]:
        budget[0] -= 1
        magic, count, _, here = struct.unpack_from("<HHHH", node)
        is_fine = here <= _MOST_DEPTH if depth is None else here == depth
        if magic != _EXTENT_MAGIC or not is_fine or 12 + 12 * count > len(node) or not budget[0]:
            raise DiskError(f"the extents of inode {number} are damaged")
        for at in range(12, 12 + 12 * count, 12):
            if here:
                _, low, high = struct.unpack_from("<IIH", node, at)
                child = self.layout.block(low | high << 32)
                yield from self._leaves(child, number, here - 1, budget)
                continue
            logical, length, high, low = struct.unpack_from("<IHHI", node, at)
            # Room that nobody has written to reads as zeros.
            is_empty = length > 1 << 15
            physical = 0 if is_empty else low | high << 32
            yield logical, length - (1 << 15) if is_empty else length, physical

    def _pointers(self, inode: _Inode) -> Iterator[tuple[int, int, int]]:
        """Yield the same of a file as ext2 and ext3 have it: one pointer for each block."""
        numbers = struct.unpack("<15I", inode.block)
        per_block = self.layout.block_bytes // 4
        for logical, number in enumerate(numbers[:_DIRECT]):
            if number:
                yield logical, 1, number
        at = _DIRECT
        for level, number in enumerate(numbers[_DIRECT:], 1):
            yield from self._indirect(inode, number, level, at)
            at += per_block**level

    def _indirect(
        self, inode: _Inode, number: int, level: int, at: int
    ) -> Iterator[tuple[int, int, int]]:
        if not number or at * self.layout.block_bytes >= inode.size:
            return
        if level == 0:
            yield at, 1, number
            return
        per_block = self.layout.block_bytes // 4
        pointers = struct.unpack(f"<{per_block}I", self.layout.block(number))
        for index, pointer in enumerate(pointers):
            yield from self._indirect(
                inode, pointer, level - 1, at + index * per_block ** (level - 1)
            )


def _entry(name: str, inode: _Inode) -> Entry:
    kinds = {
        stat.S_IFREG: FileKind.FILE, stat.S_IFDIR: FileKind.DIRECTORY, stat.S_IFLNK: FileKind.LINK,
    }  # fmt: skip
    kind = kinds.get(stat.S_IFMT(inode.mode), FileKind.OTHER)
    return Entry(
        name, kind, stat.S_IMODE(inode.mode), inode.uid, inode.gid, inode.size, inode.mtime,
        inode.number,
    )  # fmt: skip
