# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import ENODATA, ENOTSUP

import pytest

from ostrya._linux import xattr
from support.small_repos import need_user_xattrs


@pytest.fixture
def file(tmp_path):
    need_user_xattrs(tmp_path)
    path = tmp_path / "f"
    path.touch()
    return path


@pytest.fixture
def fd(file):
    fd = os.open(file, os.O_RDWR)
    yield fd
    os.close(fd)


def test_sorted_by_name_and_binary(file, fd):
    xattr.write_xattrs(fd, ((b"user.z", b"\0\xff"), (b"user.a", b"1")))
    assert xattr.read_xattrs(fd) == [(b"user.a", b"1"), (b"user.z", b"\0\xff")]


def test_those_without_a_value_are_left_out_as_libostree_does(file, fd):
    os.setxattr(fd, "user.empty", b"")
    os.setxattr(fd, "user.full", b"x")
    assert xattr.read_xattrs(fd) == [(b"user.full", b"x")]


def test_names_that_are_not_utf8(file, fd):
    os.setxattr(fd, b"user.\xff", b"x")
    assert xattr.read_xattrs(fd) == [(b"user.\xff", b"x")]


def test_at_reads_and_writes_by_name(file, tmp_path):
    dir_fd = os.open(tmp_path, os.O_RDONLY)
    xattr.write_xattrs_at("f", ((b"user.a", b"1"),), dir_fd=dir_fd)
    assert xattr.read_xattrs_at("f", dir_fd=dir_fd) == [(b"user.a", b"1")]
    os.close(dir_fd)


def test_at_does_not_follow_links(file, tmp_path):
    os.setxattr(file, "user.a", b"1")
    (tmp_path / "link").symlink_to("f")
    dir_fd = os.open(tmp_path, os.O_RDONLY)
    assert xattr.read_xattrs_at("link", dir_fd=dir_fd) == []
    os.close(dir_fd)


def test_one_by_name(file, fd):
    assert xattr.read_xattr(fd, "user.a") is None
    os.setxattr(fd, "user.a", b"1")
    assert xattr.read_xattr(fd, "user.a") == b"1"


def test_a_file_system_without_them_has_none(file, fd, monkeypatch):
    def unsupported(*_args, **_kwargs):
        raise OSError(ENOTSUP, os.strerror(ENOTSUP))

    monkeypatch.setattr(os, "listxattr", unsupported)
    monkeypatch.setattr(os, "getxattr", unsupported)
    assert xattr.read_xattrs(fd) == []
    assert xattr.read_xattr(fd, "user.a") is None


def test_one_that_vanishes_between_list_and_get(file, fd, monkeypatch):
    os.setxattr(fd, "user.a", b"1")

    def gone(*_args, **_kwargs):
        raise OSError(ENODATA, os.strerror(ENODATA))

    monkeypatch.setattr(os, "getxattr", gone)
    assert xattr.read_xattrs(fd) == []


def test_other_errors_are_told(file, fd, monkeypatch):
    def refused(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listxattr", refused)
    with pytest.raises(PermissionError):
        xattr.read_xattrs(fd)
