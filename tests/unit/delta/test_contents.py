# SPDX-License-Identifier: Apache-2.0
"""Contents, in memory and mapped."""

from __future__ import annotations

import pytest

from ostrya.delta.contents import Content
from ostrya.formats.object_name import ObjectType
from ostrya.repo.reader import iter_objects, load_file
from support.small_repos import commit_tree, make_repo


@pytest.mark.parametrize("spill", [0, 100, 1 << 20])
@pytest.mark.parametrize("content", [b"", b"x", b"content" * 1000])
def test_all_of_it(tmp_path, spill, content):
    top = tmp_path / "tree"
    top.mkdir()
    (top / "file").write_bytes(content)
    with make_repo(tmp_path / "repo") as repo:
        commit_tree(repo, top)
        checksum = next(
            name.checksum for name in iter_objects(repo) if name.type == ObjectType.FILE
        )
        with (
            load_file(repo, checksum) as file,
            Content(repo, checksum, file, spill=spill, spool_fd=repo.tmp_fd) as loaded,
        ):
            assert bytes(loaded.data) == content
