# SPDX-License-Identifier: Apache-2.0
"""All of a btrfs in the order of places.

How many blocks each tree has is known from the sizes of its items, so that all places are known
before the first byte is written; only the tree of checksums waits for the content.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import TYPE_CHECKING

from ostrya.image.errors import LayoutError, OutputError
from ostrya.image.outputs.btrfs import items
from ostrya.image.outputs.btrfs.chunks import (
    SUPERBLOCKS,
    SYSTEM_CHUNK,
    Allocator,
    Chunk,
    data_chunks,
    metadata_chunk,
)
from ostrya.image.outputs.btrfs.scan import Scanned, scan
from ostrya.image.outputs.btrfs.trees import (
    Identity,
    Item,
    TreeShape,
    encode_tree,
    shape_tree,
    with_checksum,
)
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from uuid import UUID

    from ostrya.image.filesystem import Inode
    from ostrya.image.outputs.btrfs.scan import Piece
    from ostrya.image.outputs.sinks import Sink

_SUM_BYTES = 32
# Checksums in an item: two of these are less than a block.
_MOST_SUMS = 240
_CHUNK_BYTES = 1 << 20
_MOST_LABEL = 255
_SUPER = struct.Struct("<32x16sQQ8sQQQQQQQQQIIIIIQQQQHBBB")
_SUPER_BYTES = 4096
_MAGIC = b"_BHRfS_M"
# Mixed references, large blocks, long lists of names, short extents of trees, no holes.
_FEATURES = 1 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 9
_SHA256 = 2
_NO_CACHE = (1 << 64) - 1
_SMALL_ROOM = 16 << 20


class BtrfsOptions(NamedTuple):
    """What is the same for all of a file system.

    Attributes:
        size_bytes: How large it is at least.
        label: Of up to 255 bytes.
        uuid: Its own.
        device_uuid: Of the device that it is on.
        chunk_uuid: Of its tree of chunks.
        tree_uuid: Of its tree of files.
        timestamp: When it was made, in seconds since 1970 UTC.
    """

    size_bytes: int
    label: str
    uuid: UUID
    device_uuid: UUID
    chunk_uuid: UUID
    tree_uuid: UUID
    timestamp: int


def write_btrfs(tree: str, inodes: Mapping[str, Inode], sink: Sink, options: BtrfsOptions) -> None:
    """Make a file system of a directory.

    Args:
        tree: The directory.
        inodes: By path below it, what is to be like what; all else is root's.
        sink: Takes it.
        options: What is the same for all of it.

    Raises:
        OutputError: There is something in the directory that cannot be in it.
        OSError: Something cannot be read.
    """
    if len(options.label.encode()) > _MOST_LABEL:
        raise LayoutError(f"'{options.label}' is too long for the label of a btrfs")
    _Writer(scan(tree, inodes, options.timestamp), options).run(sink)


class _Tree(NamedTuple):
    """A tree whose blocks have places."""

    owner: int
    shape: TreeShape
    places: tuple[int, ...]

    @property
    def root(self) -> int:
        return self.places[-1]


class _Writer:
    def __init__(self, scanned: Scanned, options: BtrfsOptions) -> None:
        self._scanned = scanned
        self._options = options
        self._identity = Identity(options.uuid, options.chunk_uuid)
        self._runs = _sum_runs(scanned.pieces)
        self._data_chunks = data_chunks(scanned.data_end)
        self._trees: dict[int, _Tree] = {}
        self._metadata = self._place_all()
        self._chunks = [SYSTEM_CHUNK, *self._data_chunks, self._metadata]
        self._chunk_tree = self._place_chunk_tree()
        end = self._metadata.start + self._metadata.size
        sectors = -(-max(options.size_bytes, end + _SMALL_ROOM) // items.SECTOR)
        self._total = sectors * items.SECTOR

    # -- places

    def _place_all(self) -> Chunk:
        """Give all trees in the chunk of metadata their places."""
        last = (self._data_chunks or [SYSTEM_CHUNK])[-1]
        start = last.start + last.size
        shapes = {
            items.ROOT_TREE: shape_tree([len(data) for _, data in self._root_items(planned=True)]),
            items.DEV_TREE: shape_tree([_DEV_EXTENT_BYTES] * (len(self._data_chunks) + 2)),
            items.FS_TREE: shape_tree([len(data) for _, data in self._scanned.items]),
            items.CSUM_TREE: shape_tree([count * _SUM_BYTES for _, count in self._runs]),
            items.RELOC_TREE: shape_tree([len(data) for _, data in self._reloc_items()]),
        }
        others = sum(shape.blocks for shape in shapes.values())
        shapes[items.EXTENT_TREE] = self._shape_extents(others, start)
        allocator = Allocator(start)
        for owner in sorted(shapes):
            shape = shapes[owner]
            places = tuple(allocator.take_block() for _ in range(shape.blocks))
            self._trees[owner] = _Tree(owner, shape, places)
        return metadata_chunk(start, allocator.end)

    def _shape_extents(self, others: int, start: int) -> TreeShape:
        """Shape the tree that has an item for each of its own blocks."""
        pieces = [
            ((one.start, items.EXTENT_ITEM), _DATA_EXTENT_BYTES) for one in self._scanned.pieces
        ]
        starts = [SYSTEM_CHUNK.start, *(one.start for one in self._data_chunks), start]
        groups = [((place, items.BLOCK_GROUP), _GROUP_BYTES) for place in starts]
        blocks = 1
        while True:
            # The tree of chunks has one block, as long as there are less than a hundred of them.
            allocator, places = Allocator(start), [SYSTEM_CHUNK.start]
            places += [allocator.take_block() for _ in range(others + blocks)]
            trees = [((place, items.METADATA_ITEM), _TREE_EXTENT_BYTES) for place in places]
            shape = shape_tree([size for _, size in sorted([*pieces, *groups, *trees])])
            if shape.blocks <= blocks:
                return shape
            blocks = shape.blocks

    def _place_chunk_tree(self) -> _Tree:
        shape = shape_tree([len(data) for _, data in self._chunk_items(0)])
        if shape.blocks > 1:
            raise OutputError("a btrfs of so many chunks is larger than any image")
        return _Tree(items.CHUNK_TREE, shape, (SYSTEM_CHUNK.start,))

    # -- items

    def _root_items(self, *, planned: bool = False) -> list[Item]:
        time = self._options.timestamp
        found: list[Item] = []
        for owner, folder, uuid in (
            (items.EXTENT_TREE, 0, bytes(16)),
            (items.DEV_TREE, 0, bytes(16)),
            (items.FS_TREE, items.FIRST_INODE, self._options.tree_uuid.bytes),
            (items.CSUM_TREE, 0, bytes(16)),
            (items.RELOC_TREE, items.FIRST_INODE, bytes(16)),
        ):
            root, level, blocks = 0, 0, 1
            if not planned:
                tree = self._trees[owner]
                root, level, blocks = tree.root, tree.shape.level, tree.shape.blocks
            data = items.root_item(root, level, blocks, folder, uuid, time)
            found.append(((owner, items.ROOT_ITEM, 0), data))
        name, folder_key = b"default", (items.FS_TREE, items.ROOT_ITEM, (1 << 64) - 1)
        facts = items.InodeFacts(0, items.NODE, 1, 0, 0, 0o40755, 0, time, time)
        found += [
            ((items.FS_TREE, items.INODE_REF, items.ROOT_DIR), items.inode_ref(0, name)),
            ((items.ROOT_DIR, items.INODE_ITEM, 0), items.inode(facts)),
            ((items.ROOT_DIR, items.INODE_REF, items.ROOT_DIR), items.inode_ref(0, b"..")),
            (
                (items.ROOT_DIR, items.DIR_ITEM, items.name_hash(name)),
                items.dir_entry(folder_key, items.KIND_DIR, name),
            ),
        ]
        return sorted(found, key=lambda item: item[0])

    def _reloc_items(self) -> list[Item]:
        time = self._options.timestamp
        facts = items.InodeFacts(0, items.NODE, 1, 0, 0, 0o40755, 0, time, time)
        first = items.FIRST_INODE
        return [
            ((first, items.INODE_ITEM, 0), items.inode(facts)),
            ((first, items.INODE_REF, first), items.inode_ref(0, b"..")),
        ]

    def _dev_items(self) -> list[Item]:
        return [
            (
                (items.DEVICE, items.DEV_EXTENT, one.start),
                items.dev_extent(one.start, one.size, self._options.chunk_uuid),
            )
            for one in self._chunks
        ]

    def _chunk_items(self, total: int) -> list[Item]:
        used = sum(one.size for one in self._chunks)
        device = items.dev_item(total, used, self._options.device_uuid, self._options.uuid)
        found: list[Item] = [((items.DEVICE, items.DEV_ITEM, items.DEVICE), device)]
        for one in self._chunks:
            data = items.chunk(one.start, one.size, one.kind, self._options.device_uuid)
            found.append(((items.FIRST_CHUNK, items.CHUNK_ITEM, one.start), data))
        return found

    def _extent_items(self) -> list[Item]:
        found: list[Item] = []
        for piece in self._scanned.pieces:
            key = (piece.start, items.EXTENT_ITEM, piece.size)
            found.append((key, items.data_extent(piece.owner, piece.offset)))
        for tree in (self._chunk_tree, *self._trees.values()):
            for place, level in zip(tree.places, tree.shape.block_levels(), strict=True):
                key = (place, items.METADATA_ITEM, level)
                found.append((key, items.tree_extent(tree.owner)))
        for one in self._chunks:
            key = (one.start, items.BLOCK_GROUP, one.size)
            found.append((key, items.block_group(self._used(one), one.kind)))
        found.sort(key=lambda item: item[0])
        return found

    def _used(self, chunk: Chunk) -> int:
        if chunk.kind == items.SYSTEM:
            return items.NODE
        if chunk.kind == items.METADATA:
            return sum(tree.shape.blocks for tree in self._trees.values()) * items.NODE
        end = chunk.start + chunk.size
        pieces = self._scanned.pieces
        return sum(one.size for one in pieces if chunk.start <= one.start < end)

    # -- bytes

    def run(self, sink: Sink) -> None:
        out = _Ordered(sink, self._superblock)
        chunk_items = self._chunk_items(self._total)
        for block in self._blocks(self._chunk_tree, chunk_items):
            out.put(self._chunk_tree.root, block)
        sums: list[bytes] = []
        for piece in self._scanned.pieces:
            for at, data in _read(piece):
                view = memoryview(data)
                sums += [
                    sha256(view[start : start + items.SECTOR]).digest()
                    for start in range(0, len(view), items.SECTOR)
                ]
                out.put(piece.start + at, data)
        contents = {
            items.ROOT_TREE: self._root_items(),
            items.EXTENT_TREE: self._extent_items(),
            items.DEV_TREE: self._dev_items(),
            items.FS_TREE: self._scanned.items,
            items.CSUM_TREE: list(_sum_items(self._runs, sums)),
            items.RELOC_TREE: self._reloc_items(),
        }
        for owner, tree in self._trees.items():
            blocks = self._blocks(tree, contents[owner])
            for place, block in zip(tree.places, blocks, strict=True):
                out.put(place, block)
        out.end(self._total)

    def _blocks(self, tree: _Tree, found: Sequence[Item]) -> Iterator[bytes]:
        return encode_tree(found, tree.shape, tree.places, tree.owner, self._identity)

    def _superblock(self, place: int) -> bytes:
        options, root = self._options, self._trees[items.ROOT_TREE]
        used = sum(self._used(one) for one in self._chunks)
        key = items.encode_key((items.FIRST_CHUNK, items.CHUNK_ITEM, SYSTEM_CHUNK.start))
        array = key + items.chunk(*SYSTEM_CHUNK, options.device_uuid)
        head = _SUPER.pack(
            options.uuid.bytes, place, 1, _MAGIC, items.GENERATION, root.root,
            self._chunk_tree.root, 0, 0, self._total, used, items.ROOT_DIR, 1, items.SECTOR,
            items.NODE, items.NODE, items.SECTOR, len(array), items.GENERATION, 0, 0, _FEATURES,
            _SHA256, root.shape.level, self._chunk_tree.shape.level, 0,
        )  # fmt: skip
        taken = sum(one.size for one in self._chunks)
        head += items.dev_item(self._total, taken, options.device_uuid, options.uuid)
        head += options.label.encode().ljust(256, b"\0") + struct.pack("<QQ", _NO_CACHE, 0)
        return with_checksum((head.ljust(0x32B, b"\0") + array).ljust(_SUPER_BYTES, b"\0"))


_DEV_EXTENT_BYTES = 48
_TREE_EXTENT_BYTES, _DATA_EXTENT_BYTES, _GROUP_BYTES = 33, 53, 24


class _Ordered:
    """Puts pieces at their places, zeros between them, and superblocks where they belong."""

    def __init__(self, sink: Sink, superblock: Callable[[int], bytes]) -> None:
        self._sink, self._superblock = sink, superblock
        self._at = 0
        self._left = list(SUPERBLOCKS)

    def put(self, place: int, data: bytes) -> None:
        self._go(place)
        self._sink.write(data)
        self._at += len(data)

    def end(self, total: int) -> None:
        self._go(total)

    def _go(self, place: int) -> None:
        while self._left and self._left[0] + _SUPER_BYTES <= place:
            here = self._left.pop(0)
            self._sink.skip(here - self._at)
            self._sink.write(self._superblock(here))
            self._at = here + _SUPER_BYTES
        if place > self._at:
            self._sink.skip(place - self._at)
            self._at = place


def _read(piece: Piece) -> Iterator[tuple[int, bytes]]:
    """Yield what is in a piece, filled up with zeros to whole sectors."""
    at = 0
    with open(piece.path, "rb") as stream:
        stream.seek(piece.offset)
        while at < piece.size:
            wanted = min(_CHUNK_BYTES, piece.size - at)
            data = stream.read(wanted)
            if len(data) <= wanted - items.SECTOR:
                raise OutputError(f"{piece.path} became shorter while it was read")
            yield at, data.ljust(wanted, b"\0")
            at += wanted


def _sum_runs(pieces: Sequence[Piece]) -> list[tuple[int, int]]:
    """Return items of checksums: the place of the first, and how many; in one run, none is lost."""
    runs: list[tuple[int, int]] = []
    for piece in pieces:
        at, left = piece.start, piece.size // items.SECTOR
        while left:
            if runs and runs[-1][0] + runs[-1][1] * items.SECTOR == at and runs[-1][1] < _MOST_SUMS:
                first, count = runs.pop()
            else:
                first, count = at, 0
            more = min(left, _MOST_SUMS - count)
            runs.append((first, count + more))
            at, left = at + more * items.SECTOR, left - more
    return runs


def _sum_items(runs: Sequence[tuple[int, int]], sums: Sequence[bytes]) -> Iterator[Item]:
    at = 0
    for first, count in runs:
        yield (items.EXTENT_CSUM, items.CSUM_ITEM, first), b"".join(sums[at : at + count])
        at += count
