# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat
from errno import EOPNOTSUPP

import pytest

from ostrya._linux import atomic
from support.small_repos import open_fds


@pytest.fixture
def top(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


@pytest.fixture(params=["unnamed", "named"], autouse=True)
def file_system(request, monkeypatch):
    """With unnamed files, and as on file systems that lack them."""
    if request.param == "unnamed":
        return
    real = os.open

    def without_tmpfile(path, flags, *args, **kwargs):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(EOPNOTSUPP, os.strerror(EOPNOTSUPP))
        return real(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", without_tmpfile)


def names(path):
    return sorted(p.name for p in path.iterdir())


def test_nothing_is_left_of_a_file_without_a_name(tmp_path, top):
    before = open_fds()
    with atomic.TmpFile(top) as tmp:
        atomic.write_all(tmp.fd, b"x")
    assert names(tmp_path) == []
    assert open_fds() == before


def test_link_names_it(tmp_path, top):
    with atomic.TmpFile(top, 0o600) as tmp:
        atomic.write_all(tmp.fd, b"content")
        tmp.link("f", dir_fd=top)
    assert names(tmp_path) == ["f"]
    assert (tmp_path / "f").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o600


def test_link_does_not_replace(tmp_path, top):
    (tmp_path / "f").write_bytes(b"old")
    with atomic.TmpFile(top) as tmp, pytest.raises(FileExistsError):
        tmp.link("f", dir_fd=top)
    assert (tmp_path / "f").read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


def test_replace_does(tmp_path, top):
    (tmp_path / "f").write_bytes(b"old")
    with atomic.TmpFile(top) as tmp:
        atomic.write_all(tmp.fd, b"new")
        tmp.replace("f", dir_fd=top)
    assert (tmp_path / "f").read_bytes() == b"new"
    assert names(tmp_path) == ["f"]


def test_replace_from_elsewhere_leaves_no_temporary_in_either_place(tmp_path, top):
    (tmp_path / "scratch").mkdir()
    (tmp_path / "d").mkdir()
    scratch = os.open(tmp_path / "scratch", os.O_RDONLY)
    atomic.replace_file("d/f", b"1", dir_fd=top, scratch_fd=scratch)
    os.close(scratch)
    assert names(tmp_path / "d") == ["f"]
    assert names(tmp_path / "scratch") == []


def test_the_other_name_on_the_way_is_in_scratch(tmp_path, top, monkeypatch):
    """Killed just before the rename, nothing is beside the file."""
    (tmp_path / "scratch").mkdir()
    (tmp_path / "d").mkdir()
    scratch = os.open(tmp_path / "scratch", os.O_RDONLY)

    def killed(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        atomic.replace_file("d/f", b"1", dir_fd=top, scratch_fd=scratch)
    os.close(scratch)
    assert names(tmp_path / "d") == []
    assert names(tmp_path / "scratch") == []


def test_where_places_it_in_a_subdirectory(tmp_path, top):
    (tmp_path / "ab").mkdir()
    with atomic.TmpFile(top, where="ab") as tmp:
        tmp.link("ab/f", dir_fd=top)
    assert names(tmp_path / "ab") == ["f"]


def test_reopen_read_only(tmp_path, top):
    with atomic.TmpFile(top) as tmp:
        atomic.write_all(tmp.fd, b"content")
        tmp.reopen_read_only()
        assert os.read(tmp.fd, 10) == b"content"
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(tmp.fd, b"x")
        tmp.link("f", dir_fd=top)
    assert names(tmp_path) == ["f"]


@pytest.mark.parametrize("durable", [True, False])
def test_replace_file(tmp_path, top, durable):
    (tmp_path / "d").mkdir()
    for content in (b"one", b"", b"three" * 100_000):
        atomic.replace_file("d/f", content, dir_fd=top, mode=0o600, durable=durable)
        assert (tmp_path / "d/f").read_bytes() == content
    assert names(tmp_path / "d") == ["f"]


def test_replace_file_replaces_a_link_and_not_what_it_leads_to(tmp_path, top):
    (tmp_path / "target").write_bytes(b"kept")
    (tmp_path / "f").symlink_to("target")
    atomic.replace_file("f", b"new", dir_fd=top)
    assert (tmp_path / "target").read_bytes() == b"kept"
    assert not (tmp_path / "f").is_symlink()


def test_a_directory_is_not_replaced(tmp_path, top):
    (tmp_path / "d").mkdir()
    with pytest.raises(IsADirectoryError):
        atomic.replace_file("d", b"", dir_fd=top)
    assert names(tmp_path) == ["d"]


def test_an_error_on_the_way_leaves_the_old_content(tmp_path, top, monkeypatch):
    (tmp_path / "f").write_bytes(b"old")

    def full(_fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic.replace_file("f", b"new", dir_fd=top)
    assert (tmp_path / "f").read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


def test_write_all_goes_on_after_short_writes(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:3]))
    fd = os.open(tmp_path / "f", os.O_CREAT | os.O_WRONLY)
    atomic.write_all(fd, b"0123456789")
    os.close(fd)
    assert (tmp_path / "f").read_bytes() == b"0123456789"


def test_a_spool_can_be_read_again_and_has_no_name(tmp_path, top):
    fd = atomic.open_spool(top)
    atomic.write_all(fd, b"content")
    assert os.pread(fd, 10, 0) == b"content"
    os.close(fd)
    assert names(tmp_path) == []


def test_names_on_the_way_are_known(top):
    assert atomic.is_temporary_name(atomic.temporary_name())
    assert not atomic.is_temporary_name("tmp.conf")
    assert not atomic.is_temporary_name(f"{atomic.temporary_name()}.bak")


def test_what_had_a_name_on_the_way_is_synced_by_its_last_one(tmp_path, top, monkeypatch, request):
    """VFAT writes size and place of a file with the file, under the name that it has then."""
    done = []

    def note(what, real):
        def call(*arguments, **options):
            kind = what
            if what == "sync":
                kind = (
                    "sync folder" if stat.S_ISDIR(os.fstat(arguments[0]).st_mode) else "sync file"
                )
            done.append(kind)
            return real(*arguments, **options)

        return call

    monkeypatch.setattr(os, "fsync", note("sync", os.fsync))
    monkeypatch.setattr(os, "rename", note("rename", os.rename))
    atomic.replace_file("f", b"1", dir_fd=top)
    again = ["sync file"] if "named" in request.node.callspec.id.split("-") else []
    assert done == ["sync file", "rename", *again, "sync folder"]
    done.clear()
    atomic.replace_file("f", b"2", dir_fd=top, durable=False)
    assert done == ["rename"]
