# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from ostrya._linux import rename
from ostrya._linux.rename import rename_exchanging, rename_new


@pytest.fixture(params=["one call", "no such call"])
def place(request, tmp_path, monkeypatch):
    if request.param == "no such call":
        monkeypatch.setattr(rename, "_libc", SimpleNamespace())
    fd = os.open(tmp_path, os.O_RDONLY)
    yield tmp_path, fd
    os.close(fd)


def test_a_name_that_is_free(place):
    top, fd = place
    (top / "old").write_text("content")
    assert rename_new("old", "new", src_dir_fd=fd, dst_dir_fd=fd)
    assert os.listdir(top) == ["new"]


@pytest.mark.parametrize("dangling", [False, True])
def test_a_name_that_is_taken_stays_what_it_is(place, dangling):
    top, fd = place
    (top / "old").write_text("mine")
    (top / "new").symlink_to("nowhere") if dangling else (top / "new").write_text("theirs")
    before = (top / "new").lstat().st_ino
    assert not rename_new("old", "new", src_dir_fd=fd, dst_dir_fd=fd)
    assert (top / "new").lstat().st_ino == before
    assert (top / "old").read_text() == "mine"


def test_nothing_to_rename(place):
    _top, fd = place
    with pytest.raises(FileNotFoundError):
        rename_new("old", "new", src_dir_fd=fd, dst_dir_fd=fd)


def test_names_are_exchanged(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    (tmp_path / "new").symlink_to("b")
    (tmp_path / "it").symlink_to("a")
    assert rename_exchanging("new", "it", dir_fd=fd)
    assert (os.readlink(tmp_path / "it"), os.readlink(tmp_path / "new")) == ("b", "a")
    os.close(fd)


def test_what_cannot_be_exchanged_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(rename, "_libc", SimpleNamespace())
    fd = os.open(tmp_path, os.O_RDONLY)
    (tmp_path / "new").symlink_to("b")
    (tmp_path / "it").symlink_to("a")
    assert not rename_exchanging("new", "it", dir_fd=fd)
    assert (os.readlink(tmp_path / "it"), os.listdir(tmp_path)) == ("b", ["it"])
    os.close(fd)


def test_nothing_to_exchange_with(place):
    top, fd = place
    (top / "new").write_text("content")
    assert not rename_exchanging("new", "it", dir_fd=fd)
    assert os.listdir(top) == ["it"]
    with pytest.raises(FileNotFoundError):
        rename_exchanging("new", "it", dir_fd=fd)
