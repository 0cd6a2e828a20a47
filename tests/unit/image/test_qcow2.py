# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct

import pytest

from ostrya.image.errors import DiskError
from ostrya.image.qcow2 import Header, decode_header, encode_header

HEADER = Header(1 << 30, 16, 3 << 16, 2)


def encoded(*changes):
    data = bytearray(encode_header(HEADER, counts_at=1 << 16, counts_clusters=1))
    for form, at, value in changes:
        struct.pack_into(form, data, at, value)
    return bytes(data)


def test_it_comes_back():
    assert decode_header(encoded()) == HEADER


def test_of_version_2_what_is_behind_its_header_does_not_matter():
    assert decode_header(encoded((">I", 4, 2), (">Q", 72, 1 << 60))) == HEADER


def test_zstd_is_known():
    assert decode_header(encoded((">Q", 72, 8), (">B", 104, 1))).is_zstd


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((">I", 0, 7), "no qcow2"),
        ((">I", 4, 9), "version 9"),
        ((">Q", 8, 512), "another file"),
        ((">Q", 72, 4), "another file"),
        ((">I", 32, 2), "encrypted"),
        ((">Q", 72, 16), "extended entries"),
        ((">Q", 72, 1 << 40), "features 0x"),
        ((">I", 20, 40), "damaged"),
        ((">Q", 24, 1 << 60), "damaged"),
        ((">I", 36, 0), "too short"),
    ],
)
def test_what_cannot_be_read_is_refused(change, words):
    with pytest.raises(DiskError, match=words):
        decode_header(encoded(change))


def test_what_is_too_short_is_none():
    with pytest.raises(DiskError, match="no qcow2"):
        decode_header(encoded()[:80])
