# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat

import pytest

from ostrya.formats.dirmeta import DirMeta
from ostrya.repo.modes import RepoMode
from ostrya.tree.checkout_options import CheckoutOptions, Overwrite
from ostrya.tree.checkout_worker import finish_dir, make_below, make_dir
from support.small_repos import GID, UID, need_user_xattrs

UNION = CheckoutOptions(overwrite=Overwrite.UNION_FILES)


@pytest.fixture
def top(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def test_made_private(tmp_path, top):
    assert make_dir("d", top, CheckoutOptions())
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o700


def test_one_that_is_there(tmp_path, top):
    (tmp_path / "d").mkdir()
    with pytest.raises(FileExistsError, match="d"):
        make_dir("d", top, CheckoutOptions())
    assert not make_dir("d", top, UNION)


def test_a_file_gives_way_when_layers_are_flattened(tmp_path, top):
    (tmp_path / "d").touch()
    assert not make_dir("d", top, UNION)
    assert make_dir("d", top, UNION._replace(process_whiteouts=True))
    assert (tmp_path / "d").is_dir()


def test_below_a_link_only_a_union_is_made(tmp_path, top):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(OSError, match="link"):
        make_below(top, "link/d", CheckoutOptions())
    assert os.listdir(tmp_path / "real") == []
    assert make_below(top, "link/d", UNION)
    assert os.listdir(tmp_path / "real") == ["d"]


def test_below_a_link_that_leads_out_nothing_is_made(tmp_path, top):
    outside = tmp_path.with_name(f"{tmp_path.name}-outside")
    outside.mkdir()
    for target in (outside, f"../{outside.name}"):
        (tmp_path / "link").symlink_to(target)
        with pytest.raises(OSError, match="leads out"):
            make_below(top, "link/d", UNION)
        (tmp_path / "link").unlink()
    assert os.listdir(outside) == []


@pytest.mark.parametrize(
    ("options", "mode", "wanted"),
    [
        (CheckoutOptions(), RepoMode.ARCHIVE, 0o1777),
        (CheckoutOptions(bareuseronly_dirs=True), RepoMode.ARCHIVE, 0o775),
        (CheckoutOptions(user_mode=True), RepoMode.BARE_USER_ONLY, 0o775),
    ],
)
def test_finished(tmp_path, top, options, mode, wanted):
    need_user_xattrs(tmp_path)
    (tmp_path / "d").mkdir()
    dirmeta = DirMeta(UID, GID, stat.S_IFDIR | 0o1777, ((b"user.x", b"1"),))
    finish_dir(top, "d", dirmeta, options, mode)
    found = (tmp_path / "d").stat()
    assert stat.S_IMODE(found.st_mode) == wanted
    assert found.st_mtime_ns == 0
    assert bool(os.listxattr(tmp_path / "d")) is not options.user_mode


def test_copies_keep_the_time_of_their_making(tmp_path, top):
    (tmp_path / "d").mkdir()
    finish_dir(
        top, "d", DirMeta(UID, GID, 0o040755), CheckoutOptions(force_copy=True), RepoMode.ARCHIVE
    )
    assert (tmp_path / "d").stat().st_mtime > 0
