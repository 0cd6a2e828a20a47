# SPDX-License-Identifier: Apache-2.0
"""Formats of images: what is written is read, and what is read was written."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from ostrya.image.bmap import BlockRange, Bmap, block_ranges, decode_bmap, encode_bmap
from ostrya.image.fat_names import Names, encode_name
from ostrya.image.flashing.writing import write_image
from ostrya.image.outputs.qcow2_writer import write_qcow2
from ostrya.image.outputs.sinks import NewFile
from ostrya.image.qcow2 import Header, decode_header, encode_header
from ostrya.image.reading.fat_entries import decode_entries
from ostrya.image.reading.licences import spdx_expression
from ostrya.image.reading.qcow2 import Qcow2Source
from ostrya.image.reading.sources import BytesSource

BLOCK = 4096
EXTENTS = st.lists(st.tuples(st.integers(0, 200_000), st.integers(1, 50_000)), max_size=8)
SIZES = st.integers(1, 300_000)


@given(EXTENTS, SIZES)
def test_blocks_are_those_that_bytes_touch(extents, size):
    wanted = {
        byte // BLOCK
        for start, count in extents
        for byte in range(start, min(start + count, size), 512)
    } | {(min(start + count, size) - 1) // BLOCK for start, count in extents if start < size}
    ranges = block_ranges(extents, size)
    found = [block for one in ranges for block in range(one.first, one.first + one.blocks)]
    assert found == sorted(wanted)
    assert all(one.first + one.blocks < other.first for one, other in pairwise(ranges))


@given(EXTENTS, SIZES, st.sampled_from(["sha256", "sha1"]))
def test_a_map_comes_back(extents, size, kind):
    digest = "0a" * {"sha256": 32, "sha1": 20}[kind]
    ranges = tuple(BlockRange(one.first, one.blocks, digest) for one in block_ranges(extents, size))
    bmap = Bmap(size, ranges, checksum_type=kind)
    assert decode_bmap(encode_bmap(bmap)) == bmap


@given(st.integers(0, 1 << 46), st.integers(9, 21), st.integers(0, 1 << 40))
def test_a_header_of_qcow2_comes_back(size, bits, at):
    entries = -(-size // ((1 << bits) * (1 << bits - 3)))
    if entries >= 1 << 32:
        return
    header = Header(size, bits, at, entries)
    assert decode_header(encode_header(header, counts_at=0, counts_clusters=0)) == header


PIECES = st.lists(st.tuples(st.integers(0, 250), st.binary(min_size=1, max_size=300)), max_size=10)


@settings(max_examples=50, deadline=None)
@given(PIECES, st.integers(1, 300))
def test_a_qcow2_is_the_disk_that_it_was_made_of(pieces, blocks):
    with TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        with raw.open("wb") as stream:
            for at, data in pieces:
                stream.seek(at * BLOCK)
                stream.write(data)
            stream.truncate(blocks * BLOCK)
        with NewFile(f"{folder}/qcow2") as file:
            write_qcow2(str(raw), blocks * BLOCK, file)
            file.finish()
            file.appear()
        source = Qcow2Source(BytesSource((Path(folder) / "qcow2").read_bytes()))
        assert source.read(0, source.size_bytes) == raw.read_bytes()


LETTERS = st.characters(
    codec="utf-8", exclude_characters='"*/:<>?\\|\uffff', exclude_categories=("Cc", "Cs")
)
NAMES = st.text(LETTERS, min_size=1, max_size=60).filter(lambda name: name[-1] not in ". ")


@given(st.lists(NAMES, max_size=12, unique_by=str.upper))
def test_names_of_a_fat_come_back(names):
    taken, table = Names(), b""
    for name in names:
        short, long = encode_name(name, taken)
        table += long + short + bytes(21)
    assert [one.name for one in decode_entries(table)] == names


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=1, max_size=50_000), EXTENTS, st.integers(1, 9000))
def test_a_flashed_device_has_what_matters_and_else_what_it_had(image, extents, step):
    bmap = Bmap(len(image), tuple(block_ranges(extents, len(image))))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "device"
        path.write_bytes(b"\xa5" * len(image))
        with path.open("r+b") as stream:
            chunks = (image[at : at + step] for at in range(0, len(image), step))
            write_image(chunks, stream.fileno(), 0, bmap=bmap)
        expected = bytearray(b"\xa5" * len(image))
        for start, size in map(bmap.extent, bmap.ranges):
            expected[start : start + size] = image[start : start + size]
        assert path.read_bytes() == expected


@given(st.lists(st.text(max_size=30), max_size=4))
def test_expressions_of_licences_are_balanced_and_explained(names):
    expression, refs = spdx_expression(names)
    assert expression
    depth = 0
    for char in expression:
        depth += {"(": 1, ")": -1}.get(char, 0)
        assert depth >= 0
    assert depth == 0
    words = expression.replace("(", " ").replace(")", " ").split()
    assert {word for word in words if word.startswith("LicenseRef-")} == set(refs)
    assert all(word.replace("-", "").replace(".", "").replace("+", "").isascii() for word in words)
