# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import os

import pytest

from ostrya.image.outputs.sinks import NewFile, copy_into, is_zero, read_sparsely, zeros

MIB = 1 << 20


def test_a_file_appears_when_it_is_told_to(tmp_path):
    path = tmp_path / "file"
    with NewFile(str(path)) as file:
        file.write(b"begin")
        file.skip(3 * MIB)
        file.write(memoryview(b"end"))
        file.skip(5)
        file.finish()
        assert not path.exists()
        file.appear()
    expected = b"begin" + bytes(3 * MIB) + b"end" + bytes(5)
    assert path.read_bytes() == expected
    assert file.size_bytes == len(expected)
    assert file.sha256 == hashlib.sha256(expected).hexdigest()
    assert path.stat().st_blocks * 512 < MIB
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("finished", [True, False])
def test_one_that_does_not_appear_is_gone(tmp_path, finished):
    (tmp_path / "file").write_text("old")
    with NewFile(str(tmp_path / "file")) as file:
        file.write(b"new")
        if finished:
            file.finish()
    assert os.listdir(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "old"


@pytest.fixture
def sparse(tmp_path):
    path = tmp_path / "sparse"
    with path.open("wb") as stream:
        stream.seek(MIB)
        stream.write(b"a" * 70_000 + bytes(200_000) + b"b")
        stream.truncate(10 * MIB + 1)
    return path


def test_holes_and_zeros_are_told_apart_from_data(sparse):
    found = [
        (None if data is None else bytes(data), count) for data, count in read_sparsely(str(sparse))
    ]
    assert sum(count for _, count in found) == 10 * MIB + 1
    assert (
        b"".join(bytes(count) if data is None else data for data, count in found)
        == sparse.read_bytes()
    )
    assert sum(count for data, count in found if data is not None) <= 4 * 65536


def test_a_part_of_a_file_is_copied(sparse, tmp_path):
    with NewFile(str(tmp_path / "copy")) as file:
        copy_into(str(sparse), file, offset=MIB - 10, size=100_000)
        file.finish()
        file.appear()
    assert (tmp_path / "copy").read_bytes() == sparse.read_bytes()[MIB - 10 : MIB + 99_990]


def test_what_is_shorter_than_it_is_said_to_be_is_an_error(tmp_path):
    path = tmp_path / "short"
    path.write_bytes(b"x" * 10)
    with NewFile(str(tmp_path / "copy")) as file:
        copy_into(str(path), file, size=20)
        # What lies behind the end of a file is a hole.
        assert file.size_bytes == 20


def test_zeros_come_in_pieces():
    assert [len(piece) for piece in zeros(2 * MIB + 1)] == [MIB, MIB, 1]
    assert is_zero(bytes(7))
    assert not is_zero(b"\0\1")
