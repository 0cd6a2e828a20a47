# SPDX-License-Identifier: Apache-2.0
"""What every content store promises, asked of each of them."""

from __future__ import annotations

import os
import stat

import pytest

from ostrya.errors import FormatError
from ostrya.formats.checksum import Checksum
from ostrya.formats.file_header import FileHeader
from ostrya.formats.object_name import ObjectName, ObjectType, parse_loose_name
from ostrya.repo.modes import RepoMode
from ostrya.repo.stores.base import Destination
from support.small_repos import ALL_MODES, GID, UID, make_repo, open_fds

ROOT_FREE = {RepoMode.BARE_USER, RepoMode.ARCHIVE}


@pytest.fixture(params=ALL_MODES, ids=str)
def repo(request, tmp_path):
    with make_repo(tmp_path / "repo", request.param) as repo:
        yield repo


@pytest.fixture
def destination(repo):
    return Destination(repo.objects_fd, scratch_fd=repo.tmp_fd, sync_each=False)


def regular(repo, mode: int = 0o644) -> FileHeader:
    """The header of a file that this mode can hold and this process can make."""
    if repo.mode == RepoMode.BARE_USER_ONLY:
        return FileHeader(0, 0, stat.S_IFREG | mode)
    return FileHeader(UID, GID, stat.S_IFREG | mode)


def symlink(repo, target: str) -> FileHeader:
    return regular(repo)._replace(mode=stat.S_IFLNK | 0o777, symlink_target=target)


def add_split_xattrs(repo, checksum) -> None:
    """What libostree's experiments leave out, and readers ask for."""
    if repo.mode == RepoMode.BARE_SPLIT_XATTRS:
        path = f"{repo.path}/objects/{checksum[:2]}/{checksum[2:]}.file-xattrs-link"
        open(path, "xb").close()


SUM = Checksum("0123456789abcdef" * 4)
CONTENTS = [b"", b"x", b"text\n" * 1000, os.urandom(70_000), bytes(300_000)]


@pytest.mark.parametrize("content", CONTENTS, ids=len)
@pytest.mark.parametrize("pieces", [False, True])
def test_what_is_put_is_loaded(repo, destination, content, pieces):
    header = regular(repo, 0o755)
    if pieces:
        chunks = [content[at : at + 50_000] for at in range(0, len(content), 50_000)]
        stored = repo.store.put_chunks(destination, SUM, header, len(content), chunks)
    else:
        stored = repo.store.put(destination, SUM, header, content)
    add_split_xattrs(repo, SUM)
    path = repo.store.path_of(SUM)
    assert stored == os.stat(path, dir_fd=repo.objects_fd).st_size
    with repo.store.load(repo.objects_fd, repo.store.path_of(SUM), SUM) as loaded:
        assert loaded.header == header
        assert loaded.size == len(content)
        assert loaded.stored_size == stored
        assert loaded.read() == content
        # As often as it is asked for.
        assert b"".join(loaded.chunks()) == content
        if loaded.is_plain:
            assert os.pread(loaded.content_fd, len(content) + 1, 0) == content


@pytest.mark.parametrize("target", ["t", "../x/é", "x" * 1000, "with\nnewline"])
def test_a_link_that_is_put_is_loaded(repo, destination, target):
    header = symlink(repo, target)
    assert repo.store.put_symlink(destination, SUM, header) is not None
    add_split_xattrs(repo, SUM)
    with repo.store.load(repo.objects_fd, repo.store.path_of(SUM), SUM) as loaded:
        assert loaded.header == header
        assert loaded.size == 0
        assert loaded.read() == b""


def test_the_path_is_one_that_names_the_object(repo):
    prefix, _, rest = repo.store.path_of(SUM).partition("/")
    assert parse_loose_name(prefix, rest) == ObjectName(SUM, ObjectType.FILE)


def test_none_says_that_it_was_there(repo, destination):
    header = regular(repo)
    assert repo.store.put(destination, SUM, header, b"abc") is not None
    before = os.stat(repo.store.path_of(SUM), dir_fd=repo.objects_fd)
    assert repo.store.put(destination, SUM, header, b"abc") is None
    assert repo.store.put_chunks(destination, SUM, header, 3, [b"abc"]) is None
    assert os.stat(repo.store.path_of(SUM), dir_fd=repo.objects_fd) == before


def test_a_link_twice_is_still_that_link(repo, destination):
    for _ in range(2):
        repo.store.put_symlink(destination, SUM, symlink(repo, "target"))
    add_split_xattrs(repo, SUM)
    with repo.store.load(repo.objects_fd, repo.store.path_of(SUM), SUM) as loaded:
        assert loaded.header.symlink_target == "target"


def test_an_error_on_the_way_leaves_nothing(repo, destination):
    def chunks():
        yield b"x" * 1000
        raise KeyboardInterrupt

    before = open_fds()
    with pytest.raises(KeyboardInterrupt):
        repo.store.put_chunks(destination, SUM, regular(repo), 2000, chunks())
    assert os.listdir(f"{repo.path}/objects/{SUM[:2]}") == []
    assert open_fds() == before


def test_missing_is_file_not_found(repo):
    before = open_fds()
    with pytest.raises(FileNotFoundError):
        repo.store.load(repo.objects_fd, repo.store.path_of(SUM), SUM)
    assert open_fds() == before


@pytest.mark.timeout(10)
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: open(path, "xb").close()])
def test_what_is_no_object_is_refused_and_closed(repo, make):
    """A directory, a pipe, and an empty file that has none of what the mode needs."""
    path = f"{repo.path}/objects/{repo.store.path_of(SUM)}"
    os.mkdir(os.path.dirname(path))
    make(path)
    before = open_fds()
    if not os.path.isfile(path) or repo.mode in ROOT_FREE:
        with pytest.raises((FormatError, OSError)):
            repo.store.load(repo.objects_fd, repo.store.path_of(SUM), SUM)
    assert open_fds() == before


def test_objects_are_dated_to_the_epoch_where_checkouts_link_them(repo, destination):
    repo.store.put(destination, SUM, regular(repo), b"abc")
    found = os.stat(repo.store.path_of(SUM), dir_fd=repo.objects_fd)
    if repo.mode != RepoMode.ARCHIVE:
        assert found.st_mtime_ns == 0
    assert stat.S_IMODE(found.st_mode) == 0o644


@pytest.mark.root
def test_owners_survive_where_the_mode_keeps_them(repo, destination):
    if repo.mode == RepoMode.BARE_USER_ONLY:
        pytest.skip("this mode has no owners")
    header = FileHeader(1234, 4321, stat.S_IFREG | 0o640)
    link = FileHeader(1234, 4321, stat.S_IFLNK | 0o777, "target")
    other = Checksum("f" * 64)
    repo.store.put(destination, SUM, header, b"abc")
    repo.store.put_symlink(destination, other, link)
    for checksum, wanted in ((SUM, header), (other, link)):
        add_split_xattrs(repo, checksum)
        with repo.store.load(repo.objects_fd, repo.store.path_of(checksum), checksum) as loaded:
            assert loaded.header == wanted
    assert os.listdir(repo.tmp_fd) == ["cache"]


def test_a_link_that_cannot_get_its_owner_leaves_no_temporary(repo, destination, monkeypatch):
    if repo.mode not in (RepoMode.BARE, RepoMode.BARE_SPLIT_XATTRS):
        pytest.skip("links have no owner on the disk in this mode")

    def refused(*_args, **_kwargs):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refused)
    header = symlink(repo, "target")._replace(uid=UID + 1)
    with pytest.raises(PermissionError):
        repo.store.put_symlink(destination, SUM, header)
    assert os.listdir(repo.tmp_fd) == ["cache"]
    assert os.listdir(repo.objects_fd) == []


def test_publishing_an_open_file(repo, destination, tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    fd = os.open(tmp_path / "f", os.O_RDONLY)
    assert destination.publish_file(fd, "ab/object")
    assert not destination.publish_file(fd, "ab/object")
    assert os.path.samefile(f"{repo.path}/objects/ab/object", tmp_path / "f")
    os.close(fd)
