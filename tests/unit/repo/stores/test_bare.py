# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat

import pytest

from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.file_header import FileHeader
from ostrya.repo.errors import RepoModeError
from ostrya.repo.modes import RepoMode
from ostrya.repo.stores.bare import check_user_only_mode, loose_file_path
from ostrya.repo.stores.base import Destination
from support.small_repos import GID, UID, make_repo, need_user_xattrs

SUM = "ab" * 32


def destination(repo) -> Destination:
    return Destination(repo.objects_fd, scratch_fd=repo.tmp_fd, sync_each=False)


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1755, 0o666, 0o777, 0o7777])
def test_modes_that_user_only_cannot_hold(tmp_path, mode):
    with pytest.raises(RepoModeError, match=f"invalid mode 0{stat.S_IFREG | mode:o}"):
        check_user_only_mode(stat.S_IFREG | mode, SUM)
    with make_repo(tmp_path / "repo", RepoMode.BARE_USER_ONLY) as repo:
        header = FileHeader(0, 0, stat.S_IFREG | mode)
        for put in (
            lambda: repo.store.put(destination(repo), SUM, header, b""),
            lambda: repo.store.put_chunks(destination(repo), SUM, header, 0, []),
        ):
            with pytest.raises(RepoModeError):
                put()


@pytest.mark.parametrize("mode", [0o100775, 0o100000, 0o120777, 0o040777])
def test_modes_that_it_can(mode):
    check_user_only_mode(mode, SUM)


@pytest.mark.parametrize(("disabled", "wanted"), [("false", ((b"user.x", b"1"),)), ("true", ())])
def test_xattrs_unless_the_configuration_disables_them(tmp_path, disabled, wanted):
    need_user_xattrs(tmp_path)
    with make_repo(tmp_path / "repo", RepoMode.BARE, disable_xattrs=disabled) as repo:
        header = FileHeader(UID, GID, stat.S_IFREG | 0o644, "", ((b"user.x", b"1"),))
        repo.store.put(destination(repo), SUM, header, b"x")
        with repo.store.load(repo.objects_fd, repo.store.path_of(SUM), SUM) as loaded:
            assert loaded.header.xattrs == wanted


def test_split_xattrs_are_read_and_bounded(tmp_path):
    from ostrya.formats.xattrs import encode_xattrs

    with make_repo(tmp_path / "repo", RepoMode.BARE_SPLIT_XATTRS) as repo:
        header = FileHeader(UID, GID, stat.S_IFREG | 0o644)
        repo.store.put(destination(repo), SUM, header, b"x")
        link = f"{repo.path}/objects/{loose_file_path(SUM)}-xattrs-link"
        with pytest.raises(FileNotFoundError):
            repo.store.load(repo.objects_fd, repo.store.path_of(SUM), SUM)
        with open(link, "wb") as stream:
            stream.write(encode_xattrs(((b"user.x", b"1"),)))
        with repo.store.load(repo.objects_fd, repo.store.path_of(SUM), SUM) as loaded:
            assert loaded.header.xattrs == ((b"user.x", b"1"),)
        os.truncate(link, 17 << 20)
        with pytest.raises(ObjectFormatError, match="too large"):
            repo.store.load(repo.objects_fd, repo.store.path_of(SUM), SUM)
