# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import time

import pytest

from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.repo.modes import RepoMode
from ostrya.repo.staged import is_whole, staged_path

SUM = "ab" + "c" * 62


@pytest.mark.parametrize(
    ("kind", "folder"),
    [
        (ObjectType.FILE, "ab.files"),
        (ObjectType.DIR_TREE, "meta"),
        (ObjectType.DIR_META, "meta"),
        (ObjectType.COMMIT, "meta"),
        (ObjectType.COMMIT_META, "meta"),
    ],
)
@pytest.mark.parametrize("archive", [False, True])
def test_what_names_others_lies_apart(kind, folder, archive):
    path = loose_path(ObjectName(SUM, kind), archive=archive)
    name = path[3:] if folder == "ab.files" else f"ab{path[3:]}"
    assert staged_path(path) == f"{folder}/{name}"
    # libostree takes up directories of two letters.
    assert len(folder) != 2


@pytest.mark.parametrize(
    ("mode", "bits", "mtime", "whole"),
    [
        (RepoMode.ARCHIVE, 0o644, 5, True),
        (RepoMode.ARCHIVE, 0o600, 5, False),
        (RepoMode.ARCHIVE, 0o600, 0, False),
        (RepoMode.BARE, 0o600, 0, True),
        (RepoMode.BARE, 0o644, 5, False),
        (RepoMode.BARE_USER, 0o755, 0, True),
        (RepoMode.BARE_USER, 0o755, 5, False),
        (RepoMode.BARE_USER_ONLY, 0o755, 0, True),
        (RepoMode.BARE_USER_ONLY, 0o755, 5, False),
    ],
)
def test_a_file_is_whole_once_it_has_what_comes_last(tmp_path, mode, bits, mtime, whole):
    path = tmp_path / "file"
    path.touch()
    path.chmod(bits)
    os.utime(path, (time.time(), mtime))
    assert is_whole(path.lstat(), "ab.files", mode) == whole
    assert is_whole(path.lstat(), "meta", mode)
    os.link(path, tmp_path / "other")
    assert not is_whole(path.lstat(), "ab.files", mode)
    assert not is_whole(path.lstat(), "meta", mode)


@pytest.mark.parametrize("mode", list(RepoMode))
def test_links_are_made_whole(tmp_path, mode):
    path = tmp_path / "link"
    path.symlink_to("target")
    assert is_whole(path.lstat(), "ab.files", mode)
