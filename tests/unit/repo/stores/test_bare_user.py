# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat

import pytest

from ostrya.errors import FormatError
from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.file_header import FileHeader
from ostrya.formats.filemeta import encode_filemeta
from ostrya.repo.modes import RepoMode
from ostrya.repo.stores.base import Destination
from support.small_repos import make_repo

SUM = "ab" * 32


@pytest.fixture
def repo(tmp_path):
    with make_repo(tmp_path / "repo", RepoMode.BARE_USER) as repo:
        yield repo


@pytest.fixture
def path(repo) -> str:
    return f"{repo.path}/objects/{repo.store.path_of(SUM)}"


def put(repo, header, content=b"x") -> None:
    destination = Destination(repo.objects_fd, scratch_fd=repo.tmp_fd, sync_each=False)
    if header.is_symlink:
        repo.store.put_symlink(destination, SUM, header)
    else:
        repo.store.put(destination, SUM, header, content)


@pytest.mark.parametrize(
    ("mode", "on_disk"), [(0o4755, 0o755), (0o000, 0o400), (0o666, 0o664), (0o1777, 0o775)]
)
def test_what_it_is_and_what_it_looks_like(repo, path, mode, on_disk):
    header = FileHeader(12, 34, stat.S_IFREG | mode, "", ((b"security.x", b"1"),))
    put(repo, header)
    assert stat.S_IMODE(os.stat(path).st_mode) == on_disk
    with repo.store.load(repo.objects_fd, repo.store.path_of(SUM), SUM) as loaded:
        assert loaded.header == header


def test_a_link_is_a_file_that_holds_its_target(repo, path):
    put(repo, FileHeader(1, 2, 0o120777, "target"))
    with open(path, "rb") as stream:
        assert stream.read() == b"target\0"


def not_utf8(path: str) -> None:
    with open(path, "r+b") as stream:
        stream.write(b"\xff\0")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda p: os.removexattr(p, "user.ostreemeta"), "user.ostreemeta is missing"),
        (lambda p: os.setxattr(p, "user.ostreemeta", b"x"), r"."),
        (lambda p: os.setxattr(p, "user.ostreemeta", b""), r"."),
        (lambda p: os.truncate(p, 5000), "too long"),
        (not_utf8, "not UTF-8"),
    ],
)
def test_damage(repo, path, damage, words):
    put(repo, FileHeader(0, 0, 0o120777, "target"))
    damage(path)
    with pytest.raises(FormatError, match=words):
        repo.store.load(repo.objects_fd, repo.store.path_of(SUM), SUM)


def test_a_link_in_place_of_it(repo, path):
    os.mkdir(os.path.dirname(path))
    os.symlink("/etc/passwd", path)
    with pytest.raises(ObjectFormatError, match="symbolic link"):
        repo.store.load(repo.objects_fd, repo.store.path_of(SUM), SUM)


def test_a_target_without_its_nul(repo, path):
    put(repo, FileHeader(0, 0, 0o120777, "target"))
    os.truncate(path, 6)
    with repo.store.load(repo.objects_fd, repo.store.path_of(SUM), SUM) as loaded:
        assert loaded.header.symlink_target == "target"
    assert encode_filemeta(loaded.header)
