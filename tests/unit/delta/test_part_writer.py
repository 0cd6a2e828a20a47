# SPDX-License-Identifier: Apache-2.0
"""Parts as they are written: operations, tables, and how they are compressed."""

from __future__ import annotations

import hashlib
import lzma
import os
import random

import pytest

from ostrya.delta.part_writer import PartWriter
from ostrya.delta.plan import DeltaLimits
from ostrya.delta.rollsum import CommonRange
from ostrya.formats.delta_operations import (
    Close,
    Open,
    Patch,
    SetReadSource,
    SpliceFile,
    SpliceMetadata,
    UnsetReadSource,
    Write,
    decode_operations,
)
from ostrya.formats.delta_part import TAIL_BYTES, decode_modes, decode_xattr_sets, part_places
from ostrya.formats.delta_superblock import PartHeader
from ostrya.formats.file_header import FileHeader
from ostrya.formats.object_name import ObjectName, ObjectType
from support.deltas import file_name

TEXT = FileHeader(0, 0, 0o100644)
TOOL = FileHeader(0, 0, 0o100755, "", ((b"user.x\0", b"1"),))
LINK = FileHeader(0, 0, 0o120777, "target")
SOURCE = file_name(b"source")


@pytest.fixture
def writer(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    with PartWriter(fd) as writer:
        yield writer
    os.close(fd)


def finished(writer: PartWriter, path):
    fd = os.open(path, os.O_CREAT | os.O_WRONLY)
    part = writer.finish(fd, DeltaLimits(), 100 << 20)
    os.close(fd)
    data = path.read_bytes()
    assert (part.size, part.checksum) == (len(data), hashlib.sha256(data).hexdigest())
    assert data[:1] == b"x"
    payload = lzma.decompress(data[1:])
    assert part.payload_size == len(payload)
    places = part_places(len(payload), payload[-TAIL_BYTES:])
    header = PartHeader(0, part.checksum, part.size, part.unpacked_size, part.objects)
    operations = list(decode_operations(payload[slice(*places.operations)], header))
    return part, payload, places, operations


def test_every_kind_of_object(writer, tmp_path):
    tree = ObjectName(SOURCE.checksum, ObjectType.DIR_TREE)
    one, two, three, four = (file_name(bytes([n])) for n in range(4))
    writer.add_metadata(tree, b"directory")
    writer.add_whole(one, TEXT, 7, (b"con", memoryview(b"tent")))
    writer.add_whole(two, LINK, 0, ())
    writer.add_patch(three, TOOL, 900, SOURCE.checksum, b"patch")
    content = memoryview(b"ab" + b"x" * 40 + b"cd" + b"y" * 40)
    ranges = [CommonRange(2, 100, 40), CommonRange(44, 7, 40)]
    writer.add_ranges(four, TEXT, content, SOURCE.checksum, ranges)
    part, payload, places, operations = finished(writer, tmp_path / "0")
    data = payload[slice(*places.data)]
    raw = bytes.fromhex(SOURCE.checksum)
    assert operations == [
        SpliceMetadata(tree, 9, 0),
        SpliceFile(one, 0, 0, 7, 9),
        SpliceFile(two, 1, 0, 6, 16),
        SetReadSource(22),
        Open(three, 2, 1, 900),
        Patch(54, 5),
        Close(),
        Open(four, 0, 0, 84),
        Write(2, 91),
        SetReadSource(59),
        Write(40, 100),
        UnsetReadSource(),
        Write(2, 93),
        SetReadSource(59),
        Write(40, 7),
        Close(),
    ]
    assert data == b"directory" + b"content" + b"target" + raw + b"patch" + raw + b"ab" + b"cd"
    assert [mode.mode for mode in decode_modes(payload[slice(*places.modes)])] == [
        0o100644, 0o120777, 0o100755,
    ]  # fmt: skip
    assert len(decode_xattr_sets(payload[slice(*places.xattrs)])) == 2
    assert part.unpacked_size == 9 + 7 + 900 + 84
    assert part.patched_file == 900


def test_adjacent_ranges_and_a_literal_end(writer, tmp_path):
    ranges = [CommonRange(0, 0, 40), CommonRange(40, 80, 40)]
    writer.add_ranges(
        file_name(b"1"), TEXT, memoryview(bytes(80) + b"end"), SOURCE.checksum, ranges
    )
    _, _, _, operations = finished(writer, tmp_path / "0")
    assert operations[1:] == [
        SetReadSource(0),
        Write(40, 0),
        Write(40, 80),
        UnsetReadSource(),
        Write(3, 32),
        Close(),
    ]


def test_an_empty_part(writer, tmp_path):
    part, _, _, operations = finished(writer, tmp_path / "0")
    assert operations == []
    assert (part.objects, part.unpacked_size) == (b"", 0)


def test_what_does_not_shrink(writer, tmp_path):
    content = random.Random(1).randbytes(2_000_000)
    writer.add_whole(file_name(content), TEXT, len(content), (content,))
    part, _, _, _ = finished(writer, tmp_path / "0")
    assert part.size < 1.001 * len(content)


@pytest.mark.parametrize(("noise_share", "small"), [(0.0, False), (0.5, False), (0.97, True)])
def test_what_hardly_shrinks_has_a_small_window(writer, tmp_path, noise_share, small):
    # So many bytes that samples meet both by turns.
    rng = random.Random(1)
    noise = int(50_000 * noise_share)
    content = b"".join(rng.randbytes(noise) + bytes(50_000 - noise) for _ in range(40))
    writer.add_whole(file_name(content), TEXT, len(content), [content])
    part, *_ = finished(writer, tmp_path / "part")
    assert (part.dictionary <= 256 * 1024) is small
