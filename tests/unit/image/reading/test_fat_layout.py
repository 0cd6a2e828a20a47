# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct

import pytest

from ostrya.image.errors import DiskError
from ostrya.image.fat import FatFile, FatOptions, encode_fat
from ostrya.image.reading.fat_layout import Layout
from ostrya.image.reading.sources import BytesSource

MIB = 1 << 20


def encoded(*changes, size=8 * MIB):
    data = bytearray(size)
    for at, piece in encode_fat([FatFile("f", b"x" * 5000)], FatOptions(size, "boot", 7, 0)):
        data[at : at + len(piece)] = piece
    for form, at, value in changes:
        struct.pack_into(form, data, at, value)
    return BytesSource(bytes(data))


def test_chains_and_what_is_used():
    layout = Layout(encoded())
    assert (layout.bits, layout.volume_id) == (16, 7)
    (run,) = layout.used_clusters()
    assert list(layout.chain(2)) == list(range(2, 2 + run[1]))
    assert layout.offset(3) == layout.data_at + layout.cluster_bytes


def test_a_table_of_twelve_bits():
    data = bytearray(512 * 2880)
    struct.pack_into("<3s8xHBHBHHBH", data, 0, b"\xeb\x3c\x90", 512, 1, 1, 2, 224, 2880, 0xF0, 9)
    data[510:512] = b"\x55\xaa"
    # 2 → 3 → 4, the end.
    data[512:519] = bytes([0xF0, 0xFF, 0xFF, 0x03, 0x40, 0x00, 0xFF])
    data[519:521] = bytes([0x0F, 0])
    layout = Layout(BytesSource(bytes(data)))
    assert layout.bits == 12
    assert list(layout.chain(2)) == [2, 3, 4]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("<H", 510, 0), "no FAT"),
        (("<B", 0, 0), "no FAT"),
        (("<H", 11, 513), "no FAT"),
        (("<B", 13, 3), "no FAT"),
        (("<H", 14, 0), "no FAT"),
        (("<B", 16, 9), "no FAT"),
        (("<H", 22, 1), "damaged"),
        (("<H", 19, 20), "damaged"),
        (("<H", 19, 0xFFFF), "damaged"),
    ],
)
def test_what_cannot_be_is_refused(change, words):
    with pytest.raises(DiskError, match=words):
        Layout(encoded(change))
    with pytest.raises(DiskError, match="no FAT"):
        Layout(BytesSource(bytes(100)))
