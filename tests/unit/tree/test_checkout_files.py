# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat

import pytest

from ostrya.formats.file_header import FileHeader
from ostrya.repo.modes import RepoMode
from ostrya.repo.transaction import Transaction
from ostrya.tree.checkout_files import FilePlacer
from ostrya.tree.checkout_options import CheckoutOptions, Overwrite
from support.small_repos import GID, UID, make_repo, need_user_xattrs


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    fd = os.open(tmp_path / "out", os.O_RDONLY)
    yield fd
    os.close(fd)


def put(repo, header, content=b"content") -> str:
    with Transaction(repo) as tx:
        if header.is_symlink:
            checksum = tx.writer.write_symlink(header)
        else:
            checksum = tx.writer.write_data(header, content)
        tx.commit()
    return checksum


@pytest.mark.parametrize("mode", [0o644, 0o4711, 0o000])
def test_a_copy_has_owner_mode_and_xattrs(repo, out, tmp_path, mode):
    need_user_xattrs(tmp_path)
    header = FileHeader(UID, GID, stat.S_IFREG | mode, "", ((b"user.x", b"1"),))
    FilePlacer(repo, CheckoutOptions(), None).place(out, "f", put(repo, header))
    found = (tmp_path / "out/f").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (UID, GID, mode)
    assert os.getxattr(tmp_path / "out/f", "user.x") == b"1"


@pytest.mark.root
def test_a_label_replaces_the_one_that_was_committed(repo, out, tmp_path):
    xattrs = ((b"security.selinux", b"old\0"),)
    checksum = put(repo, FileHeader(0, 0, stat.S_IFREG | 0o644, "", xattrs))
    placer = FilePlacer(repo, CheckoutOptions(force_copy=True), None)
    placer.place(out, "f", checksum, "new")
    assert os.getxattr(tmp_path / "out/f", "security.selinux").rstrip(b"\0") == b"new"


def test_a_failure_on_the_way_leaves_no_file(repo, out, tmp_path, monkeypatch):
    checksum = put(repo, FileHeader(UID, GID, stat.S_IFREG | 0o644))

    def refused(*_args):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refused)
    with pytest.raises(PermissionError):
        FilePlacer(repo, CheckoutOptions(), None).place(out, "f", checksum)
    assert os.listdir(tmp_path / "out") == []


@pytest.mark.parametrize("overwrite", [Overwrite.NONE, Overwrite.UNION_FILES])
def test_a_link_that_cannot_be_given_away_does_not_stay(
    repo, out, tmp_path, monkeypatch, overwrite
):
    checksum = put(repo, FileHeader(UID, GID, stat.S_IFLNK | 0o777, "target"))
    if overwrite != Overwrite.NONE:
        (tmp_path / "out/l").symlink_to("old")
    before = os.listdir(tmp_path / "out")

    def refused(*_args, **_options):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refused)
    with pytest.raises(PermissionError):
        FilePlacer(repo, CheckoutOptions(overwrite=overwrite), None).place(out, "l", checksum)
    assert os.listdir(tmp_path / "out") == before


@pytest.mark.parametrize("there", ["same", "other", "file", "directory"])
def test_links_over_what_is_there(repo, out, tmp_path, there):
    checksum = put(repo, FileHeader(UID, GID, stat.S_IFLNK | 0o777, "target"))
    path = tmp_path / "out/l"
    {
        "same": lambda: path.symlink_to("target"),
        "other": lambda: path.symlink_to("elsewhere"),
        "file": path.touch,
        "directory": path.mkdir,
    }[there]()
    options = CheckoutOptions(user_mode=True, overwrite=Overwrite.UNION_IDENTICAL)
    if there == "same":
        FilePlacer(repo, options, None).place(out, "l", checksum)
    else:
        with pytest.raises(FileExistsError):
            FilePlacer(repo, options, None).place(out, "l", checksum)
    if there != "directory":
        options = options._replace(overwrite=Overwrite.UNION_FILES)
        FilePlacer(repo, options, None).place(out, "l", checksum)
        assert path.readlink().name == "target"
    assert os.listdir(tmp_path / "out") == ["l"]


def test_the_same_content_with_another_mode_is_not_identical(repo, out, tmp_path):
    checksum = put(repo, FileHeader(UID, GID, stat.S_IFREG | 0o644))
    (tmp_path / "out/f").write_bytes(b"content")
    (tmp_path / "out/f").chmod(0o600)
    options = CheckoutOptions(overwrite=Overwrite.UNION_IDENTICAL)
    with pytest.raises(FileExistsError):
        FilePlacer(repo, options, None).place(out, "f", checksum)
    (tmp_path / "out/f").chmod(0o644)
    FilePlacer(repo, options, None).place(out, "f", checksum)


def test_a_bare_object_is_the_file(tmp_path, out):
    with make_repo(tmp_path / "bare", RepoMode.BARE) as repo:
        checksum = put(repo, FileHeader(UID, GID, stat.S_IFREG | 0o644))
        FilePlacer(repo, CheckoutOptions(), None).place(out, "f", checksum)
        assert (tmp_path / "out/f").stat().st_nlink == 2
