# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

from ostrya.formats.object_name import ObjectType
from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import open_repository
from ostrya.tree.devino import DevInoCache, scan_hardlinks
from support.small_repos import commit_files, configure, make_repo, names_of, object_path


def test_known_by_device_and_inode():
    cache = DevInoCache()
    cache.add(1, 2, "a" * 64)
    assert cache.get(1, 2) == "a" * 64
    assert cache.get(2, 1) is None
    assert len(cache) == 1


def test_objects_with_further_links_only(tmp_path):
    with make_repo(tmp_path / "repo", RepoMode.BARE_USER_ONLY) as repo:
        commit_files(repo, tmp_path, {"a": "1", "b": "2"})
        one, _two = sorted(names_of(repo, ObjectType.FILE))
        os.link(object_path(repo, one), tmp_path / "link")
        found = (tmp_path / "link").stat()
        (tmp_path / "repo/objects/odd").mkdir()
        (tmp_path / "repo/objects/xx").touch()
        cache = scan_hardlinks(repo)
        assert len(cache) == 1
        assert cache.get(found.st_dev, found.st_ino) == one.checksum


def test_parents_and_inflated_content_too(tmp_path):
    with make_repo(tmp_path / "below", RepoMode.BARE_USER_ONLY) as below:
        commit_files(below, tmp_path, {"a": "1"})
        (name,) = names_of(below, ObjectType.FILE)
        os.link(object_path(below, name), tmp_path / "link")
        with make_repo(tmp_path / "repo") as repo:
            configure(repo, parent=below.path)
    folder = tmp_path / "repo/uncompressed-objects-cache/ab"
    folder.mkdir(parents=True)
    (folder / f"{'c' * 62}.file").touch()
    os.link(folder / f"{'c' * 62}.file", tmp_path / "inflated")
    with open_repository(str(tmp_path / "repo")) as repo:
        assert len(scan_hardlinks(repo)) == 2
