# SPDX-License-Identifier: Apache-2.0
"""Compressed bodies."""

from __future__ import annotations

import gzip
import zlib

import pytest

from ostrya.fetch.coding import inflate, is_known, longest_coded

CONTENT = bytes(range(256)) * 4096


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_inflating(compress, size):
    found = list(inflate(pieces(compress(CONTENT), size)))
    assert b"".join(found) == CONTENT
    assert max(map(len, found)) <= 64 * 1024


def test_members_follow_one_another():
    data = gzip.compress(b"one") + gzip.compress(b"two")
    for size in (1, 7, 1000):
        assert b"".join(inflate(pieces(data, size))) == b"onetwo"


def test_a_bomb_comes_piece_by_piece():
    stream = inflate([gzip.compress(b"\0" * (64 << 20))])
    assert [len(next(stream)) for _ in range(3)] == [65536] * 3


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"not compressed", id="not compressed"),
        pytest.param(gzip.compress(CONTENT)[:-1], id="a byte short"),
        pytest.param(gzip.compress(CONTENT)[:50], id="its beginning"),
        pytest.param(gzip.compress(b"x") + b"garbage", id="garbage behind it"),
    ],
)
def test_damage(data):
    with pytest.raises(ValueError, match=r"."):
        list(inflate([data]))


def test_what_cannot_be_compressed_fits():
    import os

    data = os.urandom(1 << 20)
    assert len(gzip.compress(data)) <= longest_coded(len(data))
    assert len(gzip.compress(b"")) <= longest_coded(0)


def test_known_codings():
    assert [name for name in ("gzip", "x-gzip", "deflate", "br", "") if is_known(name)] == [
        "gzip", "x-gzip", "deflate",
    ]  # fmt: skip
