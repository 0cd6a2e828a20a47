# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat

import pytest

from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.file_header import FileHeader
from ostrya.repo.content_hash import ContentHasher
from ostrya.repo.errors import ChecksumMismatch, ObjectInvalid
from ostrya.repo.packed import verify_content, write_packed
from ostrya.repo.reader import load_file
from ostrya.repo.stores.archive import open_archive_body
from ostrya.repo.transaction import Transaction
from support.small_repos import make_repo

HEADER = FileHeader(0, 0, stat.S_IFREG | 0o644)


@pytest.fixture
def body(tmp_path):
    """A content object as an archive serves it, and its name."""
    with make_repo(tmp_path / "source") as repo:
        with Transaction(repo) as tx:
            checksum = tx.writer.write_data(HEADER, b"content" * 100)
            tx.commit()
        path = tmp_path / "source/objects" / repo.store.path_of(checksum)
        yield checksum, path.read_bytes()


def test_stored_as_it_came(tmp_path, body):
    checksum, data = body
    with make_repo(tmp_path / "target") as repo:
        with Transaction(repo) as tx:
            write_packed(tx.writer, checksum, [data[:9], data[9:]], 700)
            write_packed(tx.writer, checksum, [data])
            stats = tx.commit()
        assert (stats.content_total, stats.content_written) == (2, 1)
        assert stats.content_bytes_written == 700
        path = tmp_path / "target/objects" / repo.store.path_of(checksum)
        assert path.read_bytes() == data
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        with load_file(repo, checksum) as loaded:
            assert loaded.read() == b"content" * 100


@pytest.mark.parametrize("in_file", [False, True])
def test_verified_by_its_name(tmp_path, body, in_file):
    checksum, data = body

    def opened(name, content):
        if not in_file:
            return open_archive_body(name, content, -1)
        (tmp_path / "body").write_bytes(content)
        return open_archive_body(name, b"", os.open(tmp_path / "body", os.O_RDONLY))

    with opened(checksum, data) as loaded:
        verify_content(ContentHasher(), checksum, loaded)
    with opened("ab" * 32, data) as loaded, pytest.raises(ChecksumMismatch):
        verify_content(ContentHasher(), "ab" * 32, loaded)
    with opened(checksum, data[:-2]) as loaded, pytest.raises(ObjectInvalid):
        verify_content(ContentHasher(), checksum, loaded)


@pytest.mark.parametrize("in_file", [False, True])
def test_a_size_that_cannot_be(tmp_path, in_file):
    """Said before anybody makes room for it."""
    content = FileHeader(0, 0, stat.S_IFREG | 0o644).encode_archive(1 << 50) + b"\x03\0"
    (tmp_path / "body").write_bytes(content)
    fd = os.open(tmp_path / "body", os.O_RDONLY) if in_file else -1
    with pytest.raises(ObjectFormatError, match=f"cannot hold {1 << 50} bytes"):
        open_archive_body("ab" * 32, b"" if in_file else content, fd)
    if in_file:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)
