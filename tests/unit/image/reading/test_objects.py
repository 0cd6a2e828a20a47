# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.image.reading.disk import DiskImage
from ostrya.image.reading.files import FileKind, View
from ostrya.image.reading.objects import ImageObjects, RepoObjects
from support.image_artifacts import make_artifacts
from support.image_world import missing

pytestmark = pytest.mark.skipif(bool(missing("mke2fs", "debugfs")), reason="no mke2fs")


def test_an_image_and_a_repository_say_the_same(repo, releases, tmp_path):
    commit = releases[1].checksum
    artifacts = make_artifacts(repo, [commit], tmp_path / "build")
    with DiskImage(artifacts.disk) as disk:
        here, there = RepoObjects(repo), ImageObjects(View(disk.volume("root").files))
        assert there.commit(commit) == here.commit(commit)
        stack, files, links = [here.commit(commit).root_contents], 0, 0
        while stack:
            checksum = stack.pop()
            tree = here.dirtree(checksum)
            assert there.dirtree(checksum) == tree
            for _, file in tree.files:
                assert there.file(file) == here.file(file)
                links += here.file(file).kind is FileKind.LINK
                files += 1
            for _, contents, meta in tree.dirs:
                assert there.dirmeta(meta) == here.dirmeta(meta)
                stack.append(contents)
    assert files > 15
    assert links > 3
