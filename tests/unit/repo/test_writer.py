# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import os
import stat

import pytest

from ostrya.formats.file_header import FileHeader
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo import writer
from ostrya.repo.config_writer import write_config
from ostrya.repo.errors import ChecksumMismatch, LowSpace
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import has_object, load_file
from ostrya.repo.transaction import Transaction
from support.small_repos import configure, make_repo, names_of, object_path

HEADER = FileHeader(0, 0, stat.S_IFREG | 0o644)


def wanted(content: bytes) -> str:
    return hashlib.sha256(HEADER.encode_stream() + content).hexdigest()


@pytest.fixture(autouse=True)
def small_thresholds(monkeypatch):
    for module in ("ostrya.repo.writer", "ostrya.repo.stores.archive"):
        monkeypatch.setattr(f"{module}.WHOLE_BYTES", 1000)


@pytest.mark.parametrize("size", [0, 1, 1000, 1001, 10_000])
def test_ways_to_write_agree(tmp_path, size):
    content = os.urandom(size)
    pieces = [content[at : at + 300] for at in range(0, size, 300)]
    ways = (
        lambda w: w.write_data(HEADER, content),
        lambda w: w.write_rereadable(HEADER, size, lambda: pieces),
        lambda w: w.write_stream(HEADER, size, pieces),
        lambda w: w.write_stream(HEADER, size, pieces, wanted(content)),
    )
    for number, write in enumerate(ways):
        with make_repo(tmp_path / str(number)) as repo, Transaction(repo) as tx:
            assert write(tx.writer) == wanted(content)
            with load_file(repo, wanted(content)) as loaded:
                assert loaded.read() == content
            # Once more, it is known.
            write(tx.writer)
            assert (tx.counts.content_total, tx.counts.content_written) == (2, 1)
            assert tx.counts.content_bytes_written == size


@pytest.mark.parametrize("size", [10, 5000])
def test_content_that_is_not_what_was_expected(tx, size):
    for write in (
        lambda: tx.writer.write_data(HEADER, b"x" * size, "a" * 64),
        lambda: tx.writer.write_stream(HEADER, size, [b"x" * size], "a" * 64),
        lambda: tx.writer.write_symlink(
            HEADER._replace(mode=0o120777, symlink_target="t"), "a" * 64
        ),
        lambda: tx.writer.write_metadata(ObjectType.DIR_TREE, b"", "a" * 64),
    ):
        with pytest.raises(ChecksumMismatch, match="a" * 64):
            write()
    assert names_of(tx.repo) == set()


def test_a_size_that_is_not_true_does_not_get_into_the_header(tx):
    """An archive's header holds the size; its checksum does not."""
    content = b"x" * 3000
    checksum = tx.writer.write_rereadable(HEADER, 2000, lambda: [content])
    with load_file(tx.repo, checksum) as loaded:
        assert loaded.size == 3000
        assert loaded.read() == content


def test_two_readings_that_differ(tx):
    readings = iter(([b"x" * 3000], [b"y" * 3000]))
    with pytest.raises(ChecksumMismatch):
        tx.writer.write_rereadable(HEADER, 3000, lambda: next(readings))
    assert names_of(tx.repo) == set()


class TestFreeSpace:
    @pytest.mark.parametrize(
        ("core", "words"),
        [
            (
                {"min_free_space_size": "9999TB"},
                r"min-free-space-size \d+MB would be exceeded, at least",
            ),
            ({"min_free_space_percent": "99"}, r"min-free-space-percent '99%' would be exceeded"),
        ],
    )
    def test_refused(self, tmp_path, core, words, monkeypatch):
        real = os.fstatvfs

        def full(fd):
            fields = list(real(fd))
            fields[3] = fields[4] = fields[2] // 200
            return os.statvfs_result(fields)

        monkeypatch.setattr(os, "fstatvfs", full)
        with make_repo(tmp_path / "repo", **core) as repo, Transaction(repo) as tx:
            for size in (10, 5000):
                content = b"x" * size
                for write in (
                    lambda content=content: tx.writer.write_data(HEADER, content),
                    lambda content=content: tx.writer.write_stream(HEADER, len(content), [content]),
                    lambda content=content: tx.writer.write_rereadable(
                        HEADER, len(content), lambda: [content]
                    ),
                ):
                    with pytest.raises(LowSpace, match=words):
                        write()
            # Metadata is small, and so are links.
            tx.writer.write_metadata(ObjectType.DIR_TREE, b"")
            assert names_of(repo, ObjectType.FILE) == set()

    def test_what_is_there_needs_no_space(self, tmp_path):
        with make_repo(tmp_path / "repo") as repo:
            with Transaction(repo) as tx:
                tx.writer.write_data(HEADER, b"content")
                tx.commit()
            configure(repo, min_free_space_size="9999TB")
            with Transaction(repo) as tx:
                tx.writer.write_data(HEADER, b"content")
                tx.commit()


class TestAdopt:
    @pytest.fixture
    def repo(self, tmp_path):
        with make_repo(tmp_path / "repo", RepoMode.BARE_USER_ONLY) as repo:
            yield repo

    def adopt(self, tx, path) -> str:
        fd = os.open(path, os.O_RDONLY)
        try:
            return tx.writer.adopt(HEADER, fd)
        finally:
            os.close(fd)

    def test_the_file_becomes_the_object(self, tx, tmp_path):
        path = tmp_path / "f"
        path.write_bytes(b"content")
        path.chmod(0o600)
        checksum = self.adopt(tx, path)
        assert checksum == wanted(b"content")
        assert os.path.samefile(path, object_path(tx.repo, ObjectName(checksum, ObjectType.FILE)))
        assert path.stat().st_mtime_ns == 0

    def test_one_that_is_known_is_left_alone(self, tx, tmp_path):
        for name in ("one", "two"):
            (tmp_path / name).write_bytes(b"content")
            self.adopt(tx, tmp_path / name)
        assert (tmp_path / "two").stat().st_nlink == 1
        assert tx.counts.content_written == 1

    def test_another_worker_was_quicker(self, tx, tmp_path, monkeypatch):
        for name in ("one", "two"):
            (tmp_path / name).write_bytes(b"content")
        self.adopt(tx, tmp_path / "one")
        monkeypatch.setattr(writer.ObjectWriter, "has", lambda _self, _path: False)
        assert self.adopt(tx, tmp_path / "two") == wanted(b"content")
        assert tx.counts.content_written == 1

    def test_a_name_swapped_meanwhile_is_not_followed(self, tx, tmp_path, monkeypatch):
        (tmp_path / "f").write_bytes(b"content")
        real = writer.read_chunks

        def swap(fd):
            (tmp_path / "other").write_bytes(b"evil")
            (tmp_path / "f").rename(tmp_path / "aside")
            (tmp_path / "other").rename(tmp_path / "f")
            return real(fd)

        monkeypatch.setattr(writer, "read_chunks", swap)
        checksum = self.adopt(tx, tmp_path / "f")
        with load_file(tx.repo, checksum) as loaded:
            assert loaded.read() == b"content"

    @pytest.mark.parametrize("wanted", ["yes", "maybe"])
    def test_where_objects_are_sealed_it_is_copied(self, tmp_path, monkeypatch, wanted):
        sealed = []
        with make_repo(tmp_path / "r", RepoMode.BARE_USER_ONLY) as repo:
            keyfile = repo.config.keyfile
            keyfile.set_value("ex-integrity", "fsverity", wanted)
            write_config(repo, keyfile)
            repo.reload_config()
            monkeypatch.setattr(
                "ostrya._linux.fsverity.try_enable", lambda fd: sealed.append(os.fstat(fd)) or True
            )
            path = tmp_path / "f"
            path.write_bytes(b"content")
            with Transaction(repo) as tx:
                name = ObjectName(self.adopt(tx, path), ObjectType.FILE)
                tx.commit()
            assert object_path(repo, name).stat().st_ino in [found.st_ino for found in sealed]
            assert not os.path.samefile(path, object_path(repo, name))
            with load_file(repo, name.checksum) as loaded:
                assert loaded.read() == b"content"

    def test_synced_where_every_object_is(self, tmp_path, monkeypatch):
        with make_repo(tmp_path / "r", RepoMode.BARE_USER_ONLY) as repo:
            configure(repo, fsync="true", per_object_fsync="true")
            (tmp_path / "f").write_bytes(b"content")
            with Transaction(repo) as tx:
                synced = []
                monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_size))
                self.adopt(tx, tmp_path / "f")
                assert synced == [len(b"content")]


def test_a_commit_that_comes_back_drives_its_tombstone_away(repo, tmp_path):
    with Transaction(repo) as tx:
        tombstone = ObjectName(hashlib.sha256(b"commit").hexdigest(), ObjectType.TOMBSTONE_COMMIT)
        tx.writer.store_metadata(tombstone, b"")
        tx.commit()
    assert has_object(repo, tombstone)
    with Transaction(repo) as tx:
        tx.writer.write_metadata(ObjectType.COMMIT, b"commit")
        tx.commit()
    assert not has_object(repo, tombstone)


def test_sizes_only_in_archives(tmp_path):
    for mode in (RepoMode.ARCHIVE, RepoMode.BARE_USER_ONLY):
        with make_repo(tmp_path / str(mode), mode) as repo, Transaction(repo) as tx:
            tx.want_sizes()
            checksum = tx.writer.write_data(HEADER, b"x" * 500)
            if mode == RepoMode.ARCHIVE:
                stored = object_path(repo, ObjectName(checksum, ObjectType.FILE)).stat().st_size
                assert tx.sizes[checksum][2:] == (500, stored)
            else:
                assert tx.sizes is None
