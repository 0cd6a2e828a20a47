# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

from ostrya._linux.dirfd import open_dir
from ostrya.boot.package_files import PackageFile, PackageLink, write_package_files

THINGS = (PackageFile("a/b/c", b"data", 0o755), PackageLink("a/d/e", "../b/c"))


def test_files_and_links(tmp_path):
    before = os.umask(0o077)
    try:
        assert write_package_files(str(tmp_path), THINGS) == ("a/b/c", "a/d/e")
    finally:
        os.umask(before)
    assert (tmp_path / "a/d/e").read_bytes() == b"data"
    assert (tmp_path / "a/b/c").stat().st_mode & 0o777 == 0o755


def test_what_is_there_stays_unless_it_is_to_go(tmp_path):
    (tmp_path / "a/d").mkdir(parents=True)
    (tmp_path / "a/d/e").symlink_to("elsewhere")
    fd = open_dir(str(tmp_path))
    try:
        assert write_package_files(fd, THINGS) == ("a/b/c",)
        assert os.readlink(tmp_path / "a/d/e") == "elsewhere"
        assert write_package_files(fd, THINGS, replace=True) == ("a/b/c", "a/d/e")
        assert os.readlink(tmp_path / "a/d/e") == "../b/c"
    finally:
        os.close(fd)
