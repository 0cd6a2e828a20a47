# SPDX-License-Identifier: Apache-2.0
"""bmap files, version 2.0: which blocks of an image matter, and their checksums. Pure.

::

    <bmap version="2.0">
        <ImageSize> 1048576 </ImageSize>            bytes
        <BlockSize> 4096 </BlockSize>
        <BlocksCount> 256 </BlocksCount>
        <MappedBlocksCount> 3 </MappedBlocksCount>
        <ChecksumType> sha256 </ChecksumType>
        <BmapFileChecksum> … </BmapFileChecksum>    of this file, with zeros in this place
        <BlockMap>
            <Range chksum="…"> 0-1 </Range>         both ends belong to it
            <Range chksum="…"> 5 </Range>
        </BlockMap>
    </bmap>

Read are also versions 1.3 and 1.4, whose checksums are SHA-1 or named otherwise.

Source: the files that bmaptool 3.6 writes and reads.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from ostrya.image.errors import DiskError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCK_BYTES = 4096
MOST_BYTES = 64 << 20
CHECKSUMS = {"sha256": 64, "sha1": 40, "sha512": 128}
_HEAD = '<?xml version="1.0" ?>\n<bmap version="2.0">\n'
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FIELD = re.compile(r"<(\w+)>\s*([^<>]*?)\s*</\1>")
_RANGE = re.compile(
    r'<Range(?:\s+(?:chksum|sha1)="\s*([0-9a-f]+)\s*")?\s*>\s*(\d{1,15})(?:\s*-\s*(\d{1,15}))?\s*</Range>'
)
_VERSION = re.compile(r'<bmap\s+version="(\d+)\.(\d+)"\s*>')
_SELF = re.compile(rb"<(BmapFileChecksum|BmapFileSHA1)>\s*([0-9a-f]+)\s*</")


class BlockRange(NamedTuple):
    """Blocks that follow one another.

    Attributes:
        first: The first.
        blocks: How many.
        checksum: Of what is in them; empty for none.
    """

    first: int
    blocks: int
    checksum: str = ""


class Bmap(NamedTuple):
    """What matters of an image.

    Attributes:
        size_bytes: Of the image.
        ranges: In their order.
        block_bytes: How large a block is; the last one of an image may be shorter.
        checksum_type: How checksums are made, as hashlib calls it.
    """

    size_bytes: int
    ranges: tuple[BlockRange, ...]
    block_bytes: int = BLOCK_BYTES
    checksum_type: str = "sha256"

    @property
    def blocks(self) -> int:
        """How many blocks the image has."""
        return -(-self.size_bytes // self.block_bytes)

    @property
    def mapped_bytes(self) -> int:
        """How much of the image matters."""
        return sum(size for _, size in map(self.extent, self.ranges))

    def extent(self, one: BlockRange) -> tuple[int, int]:
        """Return where a range is, and how large, in bytes."""
        start = one.first * self.block_bytes
        return start, min(one.blocks * self.block_bytes, self.size_bytes - start)


def block_ranges(
    extents: Sequence[tuple[int, int]], size_bytes: int, block_bytes: int = BLOCK_BYTES
) -> list[BlockRange]:
    """Return the blocks that have something of some bytes, each once and in their order.

    Args:
        extents: Where bytes are, and how many; in any order.
        size_bytes: Of the image; what is behind its end is left out.
        block_bytes: How large a block is.
    """
    found: list[list[int]] = []
    for start, size in sorted(extents):
        stop = min(start + size, size_bytes)
        if start >= stop:
            continue
        first, end = start // block_bytes, -(-stop // block_bytes)
        if found and first <= found[-1][1]:
            found[-1][1] = max(found[-1][1], end)
        else:
            found.append([first, end])
    return [BlockRange(first, end - first) for first, end in found]


def encode_bmap(bmap: Bmap) -> bytes:
    """Return a file of version 2.0."""
    mapped = sum(one.blocks for one in bmap.ranges)
    lines = [
        f"    <ImageSize> {bmap.size_bytes} </ImageSize>",
        f"    <BlockSize> {bmap.block_bytes} </BlockSize>",
        f"    <BlocksCount> {bmap.blocks} </BlocksCount>",
        f"    <MappedBlocksCount> {mapped} </MappedBlocksCount>",
        f"    <ChecksumType> {bmap.checksum_type} </ChecksumType>",
        f"    <BmapFileChecksum> {'0' * CHECKSUMS[bmap.checksum_type]} </BmapFileChecksum>",
        "    <BlockMap>",
        *(f"        {_encode_range(one)}" for one in bmap.ranges),
        "    </BlockMap>",
        "</bmap>",
    ]
    data = (_HEAD + "\n".join(lines) + "\n").encode()
    return _with_checksum(data, hashlib.new(bmap.checksum_type, data).hexdigest())


def _encode_range(one: BlockRange) -> str:
    last = one.first + one.blocks - 1
    where = f"{one.first}" if one.blocks == 1 else f"{one.first}-{last}"
    checksum = f' chksum="{one.checksum}"' if one.checksum else ""
    return f"<Range{checksum}> {where} </Range>"


def _with_checksum(data: bytes, checksum: str) -> bytes:
    found = _SELF.search(data)
    if found is None:
        return data
    return data[: found.start(2)] + checksum.encode() + data[found.end(2) :]


def decode_bmap(data: bytes) -> Bmap:
    """Read a file.

    Raises:
        DiskError: It is none, is damaged, or contradicts itself.
    """
    if len(data) > MOST_BYTES:
        raise DiskError(f"the bmap file has {len(data)} bytes")
    text = _COMMENT.sub("", data.decode("utf-8", "replace"))
    version = _VERSION.search(text)
    if version is None:
        raise DiskError("it is no bmap file")
    if (int(version[1]), int(version[2])) not in ((1, 3), (1, 4), (2, 0)):
        raise DiskError(f"it is a bmap file of version {version[1]}.{version[2]}, not 2.0")
    fields = {match[1]: match[2] for match in _FIELD.finditer(text.partition("<BlockMap>")[0])}
    kind = fields.get("ChecksumType", "sha1")
    if kind not in CHECKSUMS:
        raise DiskError(f"the checksums of the bmap file are '{kind}', which nobody here knows")
    _verify_self(data, kind)
    bmap = Bmap(
        _number(fields, "ImageSize"),
        tuple(_decode_range(match) for match in _RANGE.finditer(text)),
        _number(fields, "BlockSize"),
        kind,
    )
    _check(bmap, fields)
    return bmap


def _number(fields: dict[str, str], name: str) -> int:
    word = fields.get(name, "")
    if not word.isascii() or not word.isdigit() or len(word) > 18:
        raise DiskError(f"the bmap file does not say its {name}")
    return int(word)


def _decode_range(match: re.Match[str]) -> BlockRange:
    first = int(match[2])
    last = first if match[3] is None else int(match[3])
    return BlockRange(first, last - first + 1, match[1] or "")


def _verify_self(data: bytes, kind: str) -> None:
    found = _SELF.search(data)
    if found is None:
        return
    zeroed = _with_checksum(data, "0" * len(found[2]))
    if hashlib.new(kind, zeroed).hexdigest().encode() != found[2]:
        raise DiskError("the checksum of the bmap file is wrong: it was damaged on its way")


def _check(bmap: Bmap, fields: dict[str, str]) -> None:
    if bmap.block_bytes not in (1 << bit for bit in range(9, 25)):
        raise DiskError(f"the bmap file says that blocks have {bmap.block_bytes} bytes")
    end = 0
    for one in bmap.ranges:
        if one.first < end or one.blocks < 1 or one.first + one.blocks > bmap.blocks:
            raise DiskError(f"the ranges of the bmap file are not in order at block {one.first}")
        if one.checksum and len(one.checksum) != CHECKSUMS[bmap.checksum_type]:
            raise DiskError(f"a checksum of the bmap file is not one, at block {one.first}")
        end = one.first + one.blocks
    if sum(one.blocks for one in bmap.ranges) != _number(fields, "MappedBlocksCount"):
        raise DiskError("the bmap file is not whole: ranges are missing")
