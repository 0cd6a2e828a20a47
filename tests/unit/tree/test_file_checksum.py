# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import os

import pytest

from ostrya.errors import FormatError
from ostrya.formats.file_header import FileHeader
from ostrya.tree.file_checksum import file_checksum
from ostrya.tree.modifier import FileInfo
from support.small_repos import GID, UID, need_user_xattrs


def wanted(header: FileHeader, content: bytes = b"") -> str:
    return hashlib.sha256(header.encode_stream() + content).hexdigest()


@pytest.fixture
def file(tmp_path) -> str:
    (tmp_path / "f").write_bytes(b"content")
    (tmp_path / "f").chmod(0o4640)
    return str(tmp_path / "f")


def test_a_file(file):
    assert file_checksum(file) == wanted(FileHeader(UID, GID, 0o104640), b"content")
    assert file_checksum(file, canonical=True) == wanted(FileHeader(0, 0, 0o100640), b"content")
    change = lambda info: FileInfo(7, 8, info.mode)  # noqa: E731  # one use
    assert file_checksum(file, change=change) == wanted(FileHeader(7, 8, 0o104640), b"content")


def test_a_link_is_not_followed(file, tmp_path):
    (tmp_path / "l").symlink_to("f")
    header = FileHeader(UID, GID, 0o120777, "f")
    assert file_checksum(str(tmp_path / "l")) == wanted(header)


def test_xattrs_or_not(file, tmp_path):
    need_user_xattrs(tmp_path)
    os.setxattr(file, "user.x", b"1")
    header = FileHeader(UID, GID, 0o104640)
    with_xattrs = header._replace(xattrs=((b"user.x", b"1"),))
    assert file_checksum(file) == wanted(with_xattrs, b"content")
    assert file_checksum(file, ignore_xattrs=True) == wanted(header, b"content")


def test_relative_to_a_directory(file, tmp_path, monkeypatch):
    fd = os.open(tmp_path, os.O_RDONLY)
    assert file_checksum("f", dir_fd=fd) == file_checksum(file)
    os.close(fd)
    monkeypatch.chdir(tmp_path)
    assert file_checksum("f") == file_checksum("./f") == file_checksum(file)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_neither(tmp_path, make):
    make(tmp_path / "odd")
    with pytest.raises(FormatError):
        file_checksum(str(tmp_path / "odd"))
