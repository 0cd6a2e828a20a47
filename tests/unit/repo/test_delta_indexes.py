# SPDX-License-Identifier: Apache-2.0
"""Delta indexes: as libostree writes them, and only where they change."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ostrya.errors import FormatError
from ostrya.formats.delta_index import decode_delta_index
from ostrya.formats.delta_name import DeltaName, delta_dir, index_path
from ostrya.repo.delta_files import delete_delta, has_delta
from ostrya.repo.delta_indexes import list_delta_indexes, reindex_deltas, superblock_digest
from ostrya.repo.summary import regenerate_summary

A, B, C = "a" * 64, "b" * 64, "0f" * 32
NAMES = (DeltaName(A, None), DeltaName(A, C), DeltaName(A, B), DeltaName(B, A))


@pytest.fixture
def with_deltas(repo):
    for name in NAMES:
        folder = Path(repo.path) / delta_dir(name)
        folder.mkdir(parents=True)
        (folder / "superblock").write_text(str(name))
    return repo


def index_of(repo, to):
    return decode_delta_index((Path(repo.path) / index_path(to)).read_bytes())


def digest(name):
    return hashlib.sha256(str(name).encode()).digest()


def test_all(with_deltas):
    repo = with_deltas
    assert list_delta_indexes(repo) == []
    reindex_deltas(repo)
    assert list_delta_indexes(repo) == [A, B]
    assert index_of(repo, A) == {name: digest(name) for name in NAMES[:3]}
    assert index_of(repo, B) == {NAMES[3]: digest(NAMES[3])}
    assert superblock_digest(repo, NAMES[0]) == digest(NAMES[0])
    assert "indexed-deltas=true" in (Path(repo.path) / "config").read_text()


def test_one(with_deltas):
    reindex_deltas(with_deltas, B)
    assert list_delta_indexes(with_deltas) == [B]
    reindex_deltas(with_deltas, C)
    assert list_delta_indexes(with_deltas) == [B]
    with pytest.raises(FormatError, match="Invalid rev"):
        reindex_deltas(with_deltas, "main")


def test_an_index_goes_with_the_last_delta(with_deltas):
    repo = with_deltas
    reindex_deltas(repo)
    path = Path(repo.path) / index_path(A)
    os.utime(path, (5, 5))
    assert has_delta(repo, NAMES[3])
    delete_delta(repo, NAMES[3])
    assert not has_delta(repo, NAMES[3])
    reindex_deltas(repo)
    assert list_delta_indexes(repo) == [A]
    assert path.stat().st_mtime == 5
    (Path(repo.path) / delta_dir(NAMES[0]) / "superblock").write_text("changed")
    reindex_deltas(repo)
    assert path.stat().st_mtime != 5


def test_with_the_summary(with_deltas):
    regenerate_summary(with_deltas)
    assert list_delta_indexes(with_deltas) == [A, B]


def test_what_is_no_index_is_passed_over(repo):
    folder = Path(repo.path) / "delta-indexes/ab"
    folder.mkdir(parents=True)
    (folder / "x.index").touch()
    (folder / "x").touch()
    (folder / ("q" * 41 + ".index")).mkdir()
    assert list_delta_indexes(repo) == []
