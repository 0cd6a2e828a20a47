# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib

import pytest

from ostrya.image.bmap import BlockRange, Bmap, block_ranges, decode_bmap, encode_bmap
from ostrya.image.errors import DiskError

SUM = "ab" * 32
BMAP = Bmap(10 * 4096 + 100, (BlockRange(0, 2, SUM), BlockRange(5, 1, SUM), BlockRange(10, 1, SUM)))

# As bmaptool 3.6 writes it, comments and all.
OLD = """<?xml version="1.0" ?>
<!-- <BlockSize> 7 </BlockSize> -->
<bmap version="1.3">
    <ImageSize> 8192 </ImageSize>
    <BlockSize> 4096 </BlockSize>
    <BlocksCount> 2 </BlocksCount>
    <MappedBlocksCount> 2     </MappedBlocksCount>
    <BmapFileSHA1> %s </BmapFileSHA1>
    <BlockMap>
        <Range sha1="%s"> 0-1 </Range>
    </BlockMap>
</bmap>
"""


def test_it_comes_back():
    data = encode_bmap(BMAP)
    assert decode_bmap(data) == BMAP
    assert b"<MappedBlocksCount> 4 </MappedBlocksCount>" in data
    assert f'<Range chksum="{SUM}"> 0-1 </Range>'.encode() in data
    assert f'<Range chksum="{SUM}"> 5 </Range>'.encode() in data
    assert BMAP.mapped_bytes == 3 * 4096 + 100


def test_its_checksum_is_made_with_zeros_in_its_place():
    data = encode_bmap(BMAP)
    own = data.split(b"<BmapFileChecksum> ")[1][:64]
    assert hashlib.sha256(data.replace(own, b"0" * 64)).hexdigest().encode() == own


def test_old_versions_are_read():
    blank = OLD % ("0" * 40, "12" * 20)
    text = blank.replace("0" * 40, hashlib.sha1(blank.encode()).hexdigest())
    assert decode_bmap(text.encode()) == Bmap(8192, (BlockRange(0, 2, "12" * 20),), 4096, "sha1")


def mended(data, *pair):
    """Change something, and make the checksum right again."""
    data = data.replace(*pair)
    own = data.split(b"<BmapFileChecksum> ")[1][:64]
    zeroed = data.replace(own, b"0" * 64)
    return data.replace(own, hashlib.sha256(zeroed).hexdigest().encode())


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ((b'version="2.0"', b'version="3.0"'), "version 3.0"),
        ((b"<bmap ", b"<map "), "no bmap file"),
        ((b"> 4096 <", b"> 4095 <"), "blocks have 4095 bytes"),
        ((b"> 0-1 <", b"> 1-0 <"), "not in order at block 1"),
        ((b"> 5 <", b"> 1 <"), "not in order at block 1"),
        ((b"> 10 <", b"> 11 <"), "not in order at block 11"),
        ((b"> 10 <", b"> x <"), "ranges are missing"),
        ((b"> sha256 <", b"> md5 <"), "'md5'"),
        ((b"ImageSize", b"Imagesize"), "does not say its ImageSize"),
        ((b"> 41060 <", b"> -1 <"), "does not say its ImageSize"),
    ],
)  # fmt: skip
def test_what_is_damaged_is_refused(pair, words):
    data = encode_bmap(BMAP)
    assert pair[0] in data
    with pytest.raises(DiskError, match=words):
        decode_bmap(mended(data, *pair))


def test_a_change_on_the_way_is_noticed():
    with pytest.raises(DiskError, match="checksum of the bmap file is wrong"):
        decode_bmap(encode_bmap(BMAP).replace(b"> 5 <", b"> 6 <"))


def test_bytes_become_blocks_each_once():
    extents = [(9000, 10), (0, 1), (4095, 2), (20480, 4096), (100_000, 1), (16384, 4096)]
    assert block_ranges(extents, 40_960) == [BlockRange(0, 3), BlockRange(4, 2)]
