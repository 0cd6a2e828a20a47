# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo import packing
from ostrya.repo.errors import ChecksumMismatch, ObjectInvalid, ObjectNotFound
from ostrya.repo.modes import RepoMode
from ostrya.repo.packing import Packed, Packer
from ostrya.repo.repository import open_repository
from ostrya.repo.stores.archive import open_archive_body
from support.small_repos import (
    commit_tree,
    make_repo,
    names_of,
    object_path,
    open_fds,
    plain_tree,
)

MODES = (RepoMode.ARCHIVE, RepoMode.BARE_USER, RepoMode.BARE_USER_ONLY)
MISSING = ObjectName("0" * 64, ObjectType.FILE)


@pytest.fixture(params=MODES, ids=str)
def filled(request, tmp_path):
    tree = plain_tree(tmp_path / "tree")
    (tree / "large").write_bytes(os.urandom(200_000))
    (tree / "large").chmod(0o644)
    with make_repo(tmp_path / "filled", request.param) as repo:
        commit_tree(repo, tree)
        yield repo


@pytest.mark.parametrize("held_bytes", [4 << 20, 1000], ids=["in memory", "in files"])
def test_every_object_is_what_an_archive_keeps(filled, held_bytes, monkeypatch):
    monkeypatch.setattr(packing, "HELD_BYTES", held_bytes)
    before = open_fds()
    packer = Packer(filled)
    for name in names_of(filled):
        with packer.pack(name) as packed:
            data = b"".join(packed.chunks(1000))
            assert len(data) == packed.size
            assert data == b"".join(packed.chunks())
            if name.type != ObjectType.FILE or filled.mode == RepoMode.ARCHIVE:
                assert data == object_path(filled, name).read_bytes()
            if name.type == ObjectType.FILE:
                with open_archive_body(name.checksum, data, -1) as opened:
                    content = opened.read()
                kept = object_path(filled, name)
                if filled.mode != RepoMode.ARCHIVE and not kept.is_symlink():
                    assert opened.header.is_symlink or content == kept.read_bytes()
    assert open_fds() == before


def test_the_large_one_is_in_a_file(filled, monkeypatch):
    monkeypatch.setattr(packing, "HELD_BYTES", 100_000)
    packer = Packer(filled)
    in_files = 0
    for name in names_of(filled, ObjectType.FILE):
        with packer.pack(name) as packed:
            in_files += packed.fd != -1
    assert in_files == 1


def test_of_a_repository_that_cannot_be_written(filled, monkeypatch):
    monkeypatch.setattr(packing, "HELD_BYTES", 1000)
    with open_repository(filled.path) as other:
        other.writable = False
        for name in names_of(other, ObjectType.FILE):
            Packer(other).pack(name).close()


def test_zlib_s_own_bytes(filled):
    for name in names_of(filled, ObjectType.FILE):
        with Packer(filled, as_zlib=True).pack(name) as packed:
            assert packed.size


def test_a_missing_object(repo):
    with pytest.raises(ObjectNotFound):
        Packer(repo).pack(MISSING)


def test_damaged_metadata_is_not_handed_on(filled):
    (name,) = names_of(filled, ObjectType.COMMIT)
    path = object_path(filled, name)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ChecksumMismatch):
        Packer(filled).pack(name)


@pytest.mark.parametrize("held_bytes", [4 << 20, 10], ids=["in memory", "in files"])
def test_damaged_content_is_not_handed_on(filled, held_bytes, monkeypatch):
    monkeypatch.setattr(packing, "HELD_BYTES", held_bytes)
    before = open_fds()
    wrong = 0
    for name in names_of(filled, ObjectType.FILE):
        path = object_path(filled, name)
        if path.is_symlink() or path.stat().st_size < 20:
            continue
        data = bytearray(path.read_bytes())
        data[-1] ^= 0x55
        path.chmod(0o644)
        path.write_bytes(data)
        try:
            Packer(filled).pack(name).close()
        except (ChecksumMismatch, ObjectInvalid):
            wrong += 1
    assert wrong >= 2
    assert open_fds() == before


def test_chunks_of_a_file_that_is_shorter_than_it_was(tmp_path):
    path = tmp_path / "short"
    path.write_bytes(b"abc")
    with Packed(fd=os.open(path, os.O_RDONLY), size=5) as packed:
        assert list(packed.chunks()) == [b"abc"]
